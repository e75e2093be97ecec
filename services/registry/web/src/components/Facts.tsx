/** What is known of a thing, by name; what there is nothing of is left out. */
import { Group, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Copy } from "./Copy";

export type Fact = [name: string, value: ReactNode];

interface Props {
  label: string; // what they are of, for who cannot see it
  of: Fact[];
  width: number; // of the names, in pixels
}

export function Facts({ label, of, width }: Props) {
  const known = of.filter(([, value]) => value !== "" && value !== false && value !== null && value !== undefined);
  return (
    <Table withRowBorders={false} verticalSpacing={4} layout="fixed" aria-label={label}>
      <Table.Tbody>
        {known.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row" w={width}>
              {name}
            </Table.Th>
            <Table.Td style={{ overflowWrap: "anywhere" }}>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** One that is to be copied. */
export function Id({ value, label }: { value: string; label: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
        {value}
      </Text>
      <Copy value={value} label={label} />
    </Group>
  );
}

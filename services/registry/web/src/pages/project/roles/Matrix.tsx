/** Which permissions a role has, as a table of things and verbs; to be read, or to be ticked. */
import { Checkbox, Table, Text } from "@mantine/core";
import { Check } from "lucide-react";
import { inWords, things, VERBS } from "./permissions";

interface Props {
  all: string[];
  held: string[];
  onChange?: (held: string[]) => void; // else it is only shown
}

export function Matrix({ all, held, onChange }: Props) {
  const has = new Set(held);
  const toggle = (permission: string) =>
    onChange?.(has.has(permission) ? held.filter((each) => each !== permission) : [...held, permission]);
  return (
    <Table.ScrollContainer minWidth={460}>
      <Table aria-label="Permissions" verticalSpacing={4}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>On</Table.Th>
            {VERBS.map((verb) => (
              <Table.Th key={verb} ta="center">
                {verb}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {things(all).map(({ name, verbs }) => (
            <Table.Tr key={name}>
              <Table.Th scope="row">
                <Text size="sm">{inWords(name)}</Text>
              </Table.Th>
              {VERBS.map((verb) => (
                <Table.Td key={verb} align="center">
                  <Cell permission={verbs[verb]} held={has} onToggle={onChange && toggle} />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

interface CellProps {
  permission: string | undefined; // there is no such one
  held: Set<string>;
  onToggle?: (permission: string) => void;
}

function Cell({ permission, held, onToggle }: CellProps) {
  if (permission === undefined) return null;
  if (onToggle) {
    return (
      <Checkbox
        size="sm"
        aria-label={permission}
        checked={held.has(permission)}
        onChange={() => onToggle(permission)}
        display="inline-block"
      />
    );
  }
  return held.has(permission) ? <Check size={16} role="img" aria-label="allowed" /> : <Text c="dimmed">–</Text>;
}

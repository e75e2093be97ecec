/** How things stood at the moment of a request: the instances, the limits, and what happened around it. */
import { Stack, Table, Text } from "@mantine/core";
import type { Explanation } from "@/api/schema";
import { clock, number } from "@/components/format";
import { Section } from "@/components/Section";
import { HealthBadge } from "../service/instances/Health";

export function Then({ of }: { of: Explanation }) {
  const limits = Object.entries(of.limits);
  return (
    <Section title="At that moment" says="Instances as they stood then; events from 10 minutes before to 2 after.">
      <Stack gap="md">
        {of.instances.length > 0 && <Instances of={of} />}
        {limits.length > 0 && (
          <Text size="sm">Limits now: {limits.map(([name, value]) => `${name} ${number(value)}`).join(", ")}</Text>
        )}
        {of.events.length > 0 ? (
          <Table verticalSpacing={4} aria-label="Events around the request">
            <Table.Tbody>
              {of.events.map(({ id, date, text }) => (
                <Table.Tr key={id}>
                  <Table.Td w={100}>{clock(date)}</Table.Td>
                  <Table.Td style={{ overflowWrap: "anywhere" }}>{text}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        ) : (
          <Text size="sm" c="dimmed">
            Nothing happened around it.
          </Text>
        )}
      </Stack>
    </Section>
  );
}

function Instances({ of }: { of: Explanation }) {
  return (
    <Table.ScrollContainer minWidth={420}>
      <Table aria-label="Instances at that moment">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Instance</Table.Th>
            <Table.Th>Health</Table.Th>
            <Table.Th>Why</Table.Th>
            <Table.Th>Had the request</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {of.instances.map(({ id, address, health, reason, draining, tried }) => (
            <Table.Tr key={id}>
              <Table.Td ff="monospace" style={{ overflowWrap: "anywhere" }}>
                {address || id}
              </Table.Td>
              <Table.Td>
                <HealthBadge word={draining ? "stopping" : health} />
              </Table.Td>
              <Table.Td style={{ overflowWrap: "anywhere" }}>{reason}</Table.Td>
              <Table.Td>{tried ? "yes" : "no"}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

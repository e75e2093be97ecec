/** Who probes the instances, and how the work is shared out. */
import { Group, Progress, Table, Text } from "@mantine/core";
import type { HealthWorker } from "@/api/schema";
import { Ago } from "@/components/Ago";
import { number, percent } from "@/components/format";
import { Section } from "@/components/Section";

export function HealthWorkers({ workers }: { workers: HealthWorker[] }) {
  return (
    <Section title="Health workers" says="Each probes its share of the instances; when one goes, the others take over.">
      {workers.length === 0 ? (
        <Text size="sm">None is heard of: the health of instances stays what it was.</Text>
      ) : (
        <Table.ScrollContainer minWidth={460}>
          <Table aria-label="Health workers">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Worker</Table.Th>
                <Table.Th ta="right">Instances</Table.Th>
                <Table.Th>Share</Table.Th>
                <Table.Th>Heard of</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {workers.map(({ name, instances, share, seen }) => (
                <Table.Tr key={name}>
                  <Table.Th scope="row" style={{ overflowWrap: "anywhere" }}>
                    {name}
                  </Table.Th>
                  <Table.Td ta="right">{number(instances)}</Table.Td>
                  <Table.Td>
                    <Group gap="xs" wrap="nowrap">
                      <Progress value={share * 100} w={80} aria-label={`Share of ${name}`} />
                      <Text size="sm">{percent(share)}</Text>
                    </Group>
                  </Table.Td>
                  <Table.Td>
                    <Ago time={seen} />
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Section>
  );
}

/** What routers saw of both versions since the step began, side by side. */
import { Badge, Table } from "@mantine/core";
import type { RolloutDetail } from "@/api/schema";
import { ms, number, percent } from "@/components/format";

export function Seen({ rollout }: { rollout: RolloutDetail }) {
  return (
    <Table.ScrollContainer minWidth={380}>
      <Table aria-label="What routers saw since the step began">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Version</Table.Th>
            <Table.Th ta="right">Requests</Table.Th>
            <Table.Th ta="right">Failed</Table.Th>
            <Table.Th ta="right">First byte, p95</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rollout.seen.map(({ version, requests, errors, error_rate, p95_ms }) => (
            <Table.Tr key={version}>
              <Table.Th scope="row">
                {version} {version === rollout.version && <Badge>new</Badge>}
              </Table.Th>
              <Table.Td ta="right">{number(requests)}</Table.Td>
              <Table.Td ta="right">
                {number(errors)} ({percent(error_rate)})
              </Table.Td>
              <Table.Td ta="right">{ms(p95_ms)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** The workers of routers: which state of the services they serve by, and what they have to do. */
import { Badge, Table, Text } from "@mantine/core";
import type { WorkerApplied } from "@/api/schema";
import { Ago } from "@/components/Ago";
import { bytes, ms, NOTHING, number, rate } from "@/components/format";
import { Section } from "@/components/Section";

const LATE_MS = 15_000; // of a worker that says every few seconds that it is there
const SLOW_LOOP_MS = 100;

interface Props {
  routers: WorkerApplied[];
  sequence: number; // of the registry's last change
  now: string;
}

export function Routers({ routers, sequence, now }: Props) {
  return (
    <Section
      title="Routers"
      says={`The registry's last change is number ${sequence}. A worker applies those that concern services; the others pass it by.`}
    >
      {routers.length === 0 ? (
        <Text size="sm">No router is heard of: no service can be reached.</Text>
      ) : (
        <Table.ScrollContainer minWidth={860}>
          <Table aria-label="Workers of routers">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Router</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th ta="right">Applied</Table.Th>
                <Table.Th ta="right">Requests</Table.Th>
                <Table.Th ta="right">Under way</Table.Th>
                <Table.Th ta="right">Connections</Table.Th>
                <Table.Th ta="right">Loop lag</Table.Th>
                <Table.Th ta="right">Memory</Table.Th>
                <Table.Th ta="right">Services</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {routers.map((worker) => (
                <Worker key={`${worker.router} ${worker.worker}`} of={worker} now={now} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Section>
  );
}

function Worker({ of: { router, worker, applied_sequence, seen, load }, now }: { of: WorkerApplied; now: string }) {
  const late = new Date(now).getTime() - new Date(seen).getTime() > LATE_MS;
  return (
    <Table.Tr>
      <Table.Th scope="row">
        <Text size="sm" fw={600}>
          {router}
        </Text>
        <Text size="xs" c="dimmed">
          worker {worker}
          {load?.version && ` · ${load.version}`}
        </Text>
      </Table.Th>
      <Table.Td>
        {late ? (
          <Badge color="red">
            not heard of since <Ago time={seen} />
          </Badge>
        ) : load?.waiting_for ? (
          <Badge color="yellow">waits for {load.waiting_for}</Badge>
        ) : (
          <Badge color="green">serving</Badge>
        )}
        {load && load.table_stale_s > 0 && (
          <Badge color="yellow">its table is {number(load.table_stale_s)} s old</Badge>
        )}
      </Table.Td>
      <Table.Td ta="right">{applied_sequence}</Table.Td>
      <Table.Td ta="right">{load ? rate(load.requests_per_second) : NOTHING}</Table.Td>
      <Table.Td ta="right">{number(load?.in_flight)}</Table.Td>
      <Table.Td ta="right">{number(load?.connections)}</Table.Td>
      <Table.Td ta="right">
        <Text size="sm" c={load && load.loop_lag_ms > SLOW_LOOP_MS ? "red" : undefined}>
          {ms(load?.loop_lag_ms)}
        </Text>
      </Table.Td>
      <Table.Td ta="right">{bytes(load?.memory_bytes)}</Table.Td>
      <Table.Td ta="right">{number(load?.services)}</Table.Td>
    </Table.Tr>
  );
}

/** The event bus: its streams, and who has how much of them still to read. */
import { Badge, Group, Table, Text } from "@mantine/core";
import type { BusState, BusStream } from "@/api/schema";
import { bytes, number } from "@/components/format";
import { Section } from "@/components/Section";

const LAGGING = 1000; // messages

export function Bus({ bus }: { bus: BusState }) {
  return (
    <Section title="Event bus" says="What the parts tell each other, and who has still to read how much of it.">
      {bus.reason ? (
        <Text size="sm" c="red">
          {bus.reason}
        </Text>
      ) : (
        <Table.ScrollContainer minWidth={620}>
          <Table aria-label="Streams and their readers">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Stream, reader</Table.Th>
                <Table.Th ta="right">Messages</Table.Th>
                <Table.Th ta="right">Size</Table.Th>
                <Table.Th ta="right">Waiting</Table.Th>
                <Table.Th ta="right">Being read</Table.Th>
                <Table.Th ta="right">Given again</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {bus.streams.map((stream) => (
                <Stream key={stream.name} of={stream} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Section>
  );
}

function Stream({ of: { name, messages, bytes: size, limit_bytes: limit, consumers } }: { of: BusStream }) {
  return (
    <>
      <Table.Tr>
        <Table.Th scope="row">{name}</Table.Th>
        <Table.Td ta="right">{number(messages)}</Table.Td>
        <Table.Td ta="right">
          {bytes(size)}
          {limit ? ` of ${bytes(limit)}` : ""}
        </Table.Td>
        <Table.Td colSpan={3} />
      </Table.Tr>
      {consumers.map((consumer) => (
        <Table.Tr key={consumer.name}>
          <Table.Td pl={32} colSpan={3}>
            <Group gap="xs">
              <Text size="sm">{consumer.name}</Text>
              {consumer.waiting > LAGGING && <Badge color="yellow">behind</Badge>}
            </Group>
          </Table.Td>
          <Table.Td ta="right">{number(consumer.waiting)}</Table.Td>
          <Table.Td ta="right">{number(consumer.unacknowledged)}</Table.Td>
          <Table.Td ta="right">{number(consumer.redelivered)}</Table.Td>
        </Table.Tr>
      ))}
    </>
  );
}

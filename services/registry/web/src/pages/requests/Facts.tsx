/** What is known of a request, by name. */
import { Group, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { Explanation } from "@/api/schema";
import { Copy } from "@/components/Copy";
import { bytes, moment, ms } from "@/components/format";

export function Facts({ of }: { of: Explanation }) {
  const { request: record, deployment, version, user } = of;
  const facts: [string, ReactNode][] = [
    ["Request id", <Id key="id" value={record.id} label="Copy the request id" />],
    ["Path", record.query ? `${record.path}?${record.query}` : record.path],
    ["Time", moment(record.time)],
    ["Answered by", record.code ? `the router: ${record.code}` : (record.attempts.at(-1)?.address ?? "the instance")],
    ["Outcome", record.outcome],
    ["Took", ms(record.total_ms)],
    ["Caller", user],
    ["From", record.client],
    ["User agent", record.user_agent],
    ["Served by", [deployment, version].filter(Boolean).join(" · ")],
    ["Router", record.router],
    ["Trace", record.trace_id && <Id key="trace" value={record.trace_id} label="Copy the trace id" />],
    ["Request body", bytes(record.request_bytes)],
    ["Answer's body", bytes(record.response_bytes)],
  ];
  return (
    <Table verticalSpacing={4} withRowBorders={false} aria-label="The request" layout="fixed">
      <Table.Tbody>
        {facts
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" w={140}>
                {name}
              </Table.Th>
              <Table.Td style={{ overflowWrap: "anywhere" }}>{value}</Table.Td>
            </Table.Tr>
          ))}
      </Table.Tbody>
    </Table>
  );
}

function Id({ value, label }: { value: string; label: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      <Text size="sm" ff="monospace" style={{ overflowWrap: "anywhere" }}>
        {value}
      </Text>
      <Copy value={value} label={label} />
    </Group>
  );
}

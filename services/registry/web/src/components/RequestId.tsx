/** The id under which the registry's log knows a request. */
import { Group, Text } from "@mantine/core";
import type { ApiProblem } from "@/api/problem";
import { Copy } from "./Copy";

export function RequestId({ of }: { of: ApiProblem }) {
  if (!of.requestId) return null;
  return (
    <Group gap={4} wrap="nowrap">
      <Text size="xs" c="dimmed" ff="monospace" style={{ wordBreak: "break-all" }}>
        Request {of.requestId}
      </Text>
      <Copy value={of.requestId} label="Copy the request id" size="xs" />
    </Group>
  );
}

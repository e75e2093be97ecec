/** How the calls of a webhook went, newest first. */
import { Badge, Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { RotateCw } from "lucide-react";
import { useState } from "react";
import { useOffsetPages } from "@/api/pages";
import type { WebhookCall } from "@/api/schema";
import type { Column } from "@/components/DataTable";
import { Empty } from "@/components/Empty";
import { ago, moment, NOTHING } from "@/components/format";
import { PagedTable } from "@/components/PagedTable";
import { Section } from "@/components/Section";

type Status = "" | "pending" | "success" | "failed";

const STATUSES = [
  { value: "", label: "All" },
  { value: "pending", label: "Waiting" },
  { value: "success", label: "Done" },
  { value: "failed", label: "Failed" },
];
const COLORS: Record<string, string> = { pending: "yellow", success: "green", failed: "red" };
const WORDS: Record<string, string> = { pending: "waiting", success: "done", failed: "failed" };

export function Calls({ project, webhook }: { project: string; webhook: string }) {
  const [status, setStatus] = useState<Status>("");
  const calls = useOffsetPages(
    "GET /projects/{project}/webhooks/{webhook}/calls",
    { path: { project, webhook }, query: { status } },
    { anew: true },
  );
  return (
    <Section title="Calls" says="What was delivered, and what was not and why.">
      <Stack gap="xs">
        <Group gap="xs" justify="space-between">
          <SegmentedControl
            aria-label="Which calls"
            data={STATUSES}
            value={status}
            onChange={(value) => setStatus(value as Status)}
          />
          <Button variant="default" leftSection={<RotateCw size={16} />} onClick={calls.retry}>
            Read again
          </Button>
        </Group>
        <PagedTable
          of={calls}
          failed="The calls could not be shown"
          label="Calls"
          columns={COLUMNS}
          rowKey={({ id }) => id}
          rowHeight={40}
          empty={
            <Empty title={status ? "No call is like that" : "No calls yet"}>
              They appear here when what it waits for happens.
            </Empty>
          }
        />
      </Stack>
    </Section>
  );
}

const COLUMNS: Column<WebhookCall>[] = [
  { key: "time", header: "Time", width: "minmax(150px, 216px)", cell: ({ created }) => moment(created) },
  {
    key: "status",
    header: "How",
    width: "90px",
    cell: ({ status }) => <Badge color={COLORS[status] ?? "gray"}>{WORDS[status] ?? status}</Badge>,
  },
  {
    key: "answer",
    header: "Answer",
    width: "70px",
    align: "right",
    from: "sm",
    cell: ({ response_status }) => response_status ?? NOTHING,
  },
  { key: "attempts", header: "Tries", width: "56px", align: "right", cell: ({ attempts }) => attempts },
  {
    key: "why",
    header: "Why",
    width: "minmax(100px, 1fr)",
    from: "sm",
    cell: ({ error, next_attempt, status }) => (
      <Text size="sm" truncate title={error}>
        {status === "pending" && next_attempt ? `next try ${ago(next_attempt)}${error && `: ${error}`}` : error}
      </Text>
    ),
  },
];

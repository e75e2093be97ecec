/** Who changed what, newest first; an entry opens with the values before and after. */
import { Anchor, Badge, Drawer, Select, Stack, Table, Text } from "@mantine/core";
import { useState } from "react";
import { useOffsetPages } from "@/api/pages";
import type { AuditRecord } from "@/api/schema";
import { Ago } from "@/components/Ago";
import { inWords } from "@/components/changes";
import type { Column } from "@/components/DataTable";
import { Empty } from "@/components/Empty";
import { moment } from "@/components/format";
import { PagedTable } from "@/components/PagedTable";

type Action = "" | "create" | "update" | "delete" | "info";

const ACTIONS = [
  { value: "", label: "All changes" },
  { value: "create", label: "created" },
  { value: "update", label: "updated" },
  { value: "delete", label: "deleted" },
];
const COLORS: Record<string, string> = { create: "green", update: "blue", delete: "red" };

/** Of a project, or of one deployment and what belongs to it. */
export function AuditTrail({ path }: { path: { project: string; deployment?: string } }) {
  const [action, setAction] = useState<Action>("");
  const [opened, open] = useState<AuditRecord | null>(null);
  const operation = path.deployment
    ? "GET /projects/{project}/deployments/{deployment}/audit"
    : "GET /projects/{project}/audit";
  const records = useOffsetPages(operation as "GET /projects/{project}/audit", { path, query: { action } });
  return (
    <Stack gap="sm">
      <Select
        aria-label="Which changes"
        data={ACTIONS}
        value={action}
        onChange={(value) => setAction((value ?? "") as Action)}
        allowDeselect={false}
        w={180}
      />
      <PagedTable
        of={records}
        failed="The audit trail could not be shown"
        label="Audit trail"
        columns={columns(open)}
        rowKey={({ id }) => id}
        rowHeight={40}
        onOpen={open}
        empty={<Empty title="Nothing was changed like that" />}
      />
      <Drawer opened={opened !== null} onClose={() => open(null)} size="lg" title="Change">
        {opened && <Entry of={opened} />}
      </Drawer>
    </Stack>
  );
}

function columns(open: (record: AuditRecord) => void): Column<AuditRecord>[] {
  return [
    { key: "when", header: "When", width: "116px", cell: ({ date }) => <Ago time={date} /> },
    { key: "date", header: "Time", width: "216px", from: "md", cell: ({ date }) => moment(date) },
    {
      key: "event",
      header: "What",
      width: "minmax(140px, 2fr)",
      cell: (record) => (
        <Anchor
          component="button"
          type="button"
          size="sm"
          truncate
          ta="left"
          maw="100%"
          title={record.event}
          onClick={() => open(record)}
        >
          {record.event}
        </Anchor>
      ),
    },
    {
      key: "action",
      header: "Action",
      width: "90px",
      from: "md",
      cell: ({ action }) => <Badge color={COLORS[action] ?? "gray"}>{action}</Badge>,
    },
    {
      key: "user",
      header: "Who",
      width: "minmax(100px, 1fr)",
      from: "sm",
      cell: ({ user }) => (
        <Text size="sm" truncate title={user}>
          {user || "Narthex itself"}
        </Text>
      ),
    },
  ];
}

function Entry({ of }: { of: AuditRecord }) {
  const changes = Object.entries(of.changes).map(([field, value]) => [field, ...pair(value)] as const);
  return (
    <Stack>
      <Text fw={600} style={{ overflowWrap: "anywhere" }}>
        {of.event}
      </Text>
      <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
        {moment(of.date)} · {of.user || "Narthex itself"}
        {of.request_id && ` · request ${of.request_id}`}
      </Text>
      {changes.length === 0 ? (
        <Text size="sm">No values are kept with it.</Text>
      ) : (
        <Table aria-label="Before and after" layout="fixed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Field</Table.Th>
              <Table.Th>Before</Table.Th>
              <Table.Th>After</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {changes.map(([field, before, after]) => (
              <Table.Tr key={field}>
                <Table.Th scope="row" style={{ overflowWrap: "anywhere" }}>
                  {field}
                </Table.Th>
                <Table.Td style={{ overflowWrap: "anywhere" }} c="dimmed">
                  {inWords(before)}
                </Table.Td>
                <Table.Td style={{ overflowWrap: "anywhere" }}>{inWords(after)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Stack>
  );
}

/** Changes are stored as [before, after]. */
function pair(value: unknown): [unknown, unknown] {
  return Array.isArray(value) && value.length === 2 ? [value[0], value[1]] : [undefined, value];
}

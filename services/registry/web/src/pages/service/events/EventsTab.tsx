/** What happened to a service, newest first. */
import { Text } from "@mantine/core";
import { useOffsetPages } from "@/api/pages";
import type { ProjectEventRecord } from "@/api/schema";
import { Ago } from "@/components/Ago";
import type { Column } from "@/components/DataTable";
import { Empty } from "@/components/Empty";
import { moment } from "@/components/format";
import { PagedTable } from "@/components/PagedTable";
import type { TabProps } from "../tabs";

const COLUMNS: Column<ProjectEventRecord>[] = [
  { key: "time", header: "When", width: "120px", cell: ({ date }) => <Ago time={date} /> },
  { key: "exactly", header: "Time", width: "216px", from: "sm", cell: ({ date }) => moment(date) },
  {
    key: "text",
    header: "What happened",
    width: "minmax(140px, 1fr)",
    cell: ({ text }) => (
      <Text size="sm" truncate title={text}>
        {text}
      </Text>
    ),
  },
  { key: "type", header: "Event", width: "180px", from: "md", cell: ({ type }) => type },
];

export default function EventsTab({ project, service }: TabProps) {
  const events = useOffsetPages("GET /projects/{project}/events", {
    path: { project },
    query: { object_type: "service", object_id: service.id },
  });
  return (
    <PagedTable
      of={events}
      failed="The events could not be shown"
      label="Events"
      columns={COLUMNS}
      rowKey={({ id }) => id}
      rowHeight={38}
      empty={<Empty title="Nothing happened yet" />}
    />
  );
}

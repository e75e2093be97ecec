/** What a service was asked and what it answered: looked for in the log, or followed as it happens. */
import { Alert, Button, Group, Stack } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Pause, Radio, RotateCw } from "lucide-react";
import { useState } from "react";
import { useLocation, useSearch } from "wouter";
import { useCursorPages } from "@/api/pages";
import { queries } from "@/api/queries";
import type { RequestRecord } from "@/api/schema";
import { DataTable } from "@/components/DataTable";
import { Empty } from "@/components/Empty";
import { many } from "@/components/format";
import { Problem } from "@/components/Problem";
import type { TabProps } from "../tabs";
import { columns } from "./columns";
import { FilterForm } from "./FilterForm";
import { asQuery, EMPTY, type Filter, isEmpty, read, written } from "./filter";
import { useTail } from "./useTail";

const TYPED_MS = 300;
const SIZE = 100;

export default function RequestsTab({ project, service }: TabProps) {
  const [, go] = useLocation();
  const filter = read(useSearch());
  const [asked] = useDebouncedValue(filter, TYPED_MS);
  const [following, setFollowing] = useState(false);
  const here = `/projects/${project}/services/${service.name}/requests`;
  const readAgain = () =>
    void queries.invalidateQueries({ queryKey: ["GET /projects/{project}/services/{service}/requests"] });
  const set = (changed: Filter) => go(`${here}${written(changed)}`, { replace: true });
  return (
    <Stack gap="sm">
      <Group justify="space-between" align="flex-end" gap="xs">
        <FilterForm filter={filter} onChange={set} onClear={isEmpty(filter) ? undefined : () => set(EMPTY)} />
        {!following && (
          <Button variant="default" leftSection={<RotateCw size={16} />} onClick={readAgain}>
            Read again
          </Button>
        )}
        <Button
          variant={following ? "filled" : "default"}
          leftSection={following ? <Pause size={16} /> : <Radio size={16} />}
          onClick={() => setFollowing(!following)}
          aria-pressed={following}
        >
          {following ? "Stop following" : "Follow live"}
        </Button>
      </Group>
      {following ? (
        <Followed project={project} service={service} filter={asked} here={here} />
      ) : (
        <Logged project={project} service={service} filter={asked} here={here} />
      )}
    </Stack>
  );
}

interface ListProps extends TabProps {
  filter: Filter;
  here: string;
}

function Logged({ project, service, filter, here }: ListProps) {
  const requests = useCursorPages(
    "GET /projects/{project}/services/{service}/requests",
    { path: { project, service: service.name }, query: asQuery(filter) },
    { size: SIZE, anew: true },
  );
  if (requests.error) {
    return <Problem of={requests.error} title="The requests could not be shown" retry={requests.retry} />;
  }
  const lost = Object.values(requests.first?.lost ?? {}).reduce((sum, count) => sum + count, 0);
  return (
    <>
      {lost > 0 && (
        <Alert color="yellow" title="Not all of them are here">
          {many(lost, "record")} of this time could not be kept.
        </Alert>
      )}
      <Rows
        rows={requests.rows}
        here={here}
        more={requests.more}
        hasMore={requests.hasMore}
        loading={requests.loading}
        empty={
          isEmpty(filter) ? (
            <Empty title="No requests yet">They appear here as soon as somebody calls the service.</Empty>
          ) : (
            <Empty title="No request is like that">Look for less, or further back.</Empty>
          )
        }
      />
    </>
  );
}

function Followed({ project, service, filter, here }: ListProps) {
  const { requests, skipped, problem } = useTail(project, service.name, filter);
  if (problem) return <Problem of={new Error(problem)} title="The requests cannot be followed" />;
  return (
    <>
      {skipped > 0 && (
        <Alert color="yellow" title="Too fast to show them all">
          {many(skipped, "request")} came faster than this page reads; the log has them.
        </Alert>
      )}
      <Rows
        rows={requests}
        here={here}
        empty={<Empty title="Following">Requests appear as they are answered.</Empty>}
      />
    </>
  );
}

interface RowsProps {
  rows: RequestRecord[];
  here: string;
  more?: () => void;
  hasMore?: boolean;
  loading?: boolean;
  empty: React.ReactNode;
}

function Rows({ here, ...rest }: RowsProps) {
  const [, go] = useLocation();
  return (
    <DataTable
      label="Requests"
      columns={columns(here)}
      rowKey={({ id }) => id}
      rowHeight={38}
      onOpen={({ id }) => go(`${here}/${id}`)}
      {...rest}
    />
  );
}

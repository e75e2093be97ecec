/** What a service was asked and what it answered: looked for in the log, or followed as it happens. */
import { Alert, Button, Group, Stack } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Pause, Radio, RotateCw } from "lucide-react";
import { useMemo, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { readFromBegin, useCursorPages } from "@/api/pages";
import type { RequestRecord } from "@/api/schema";
import { DataTable } from "@/components/DataTable";
import { Empty } from "@/components/Empty";
import { many } from "@/components/format";
import { PagedTable } from "@/components/PagedTable";
import { Problem } from "@/components/Problem";
import type { TabProps } from "../tabs";
import { columns } from "./columns";
import { FilterForm } from "./FilterForm";
import { asQuery, EMPTY, type Filter, isEmpty, read, written } from "./filter";
import { useTail } from "./useTail";

const TYPED_MS = 300;
const OPERATION = "GET /projects/{project}/services/{service}/requests";

export default function RequestsTab({ project, service }: TabProps) {
  const [, go] = useLocation();
  const filter = read(useSearch());
  const [asked] = useDebouncedValue(filter, TYPED_MS);
  const [following, setFollowing] = useState(false);
  const here = `/projects/${project}/services/${service.name}/requests`;
  const set = (changed: Filter) => go(`${here}${written(changed)}`, { replace: true });
  return (
    <Stack gap="sm">
      <Group justify="space-between" align="flex-end" gap="xs">
        <FilterForm filter={filter} onChange={set} onClear={isEmpty(filter) ? undefined : () => set(EMPTY)} />
        {!following && (
          <Button variant="default" leftSection={<RotateCw size={16} />} onClick={() => readFromBegin(OPERATION)}>
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
    OPERATION,
    { path: { project, service: service.name }, query: asQuery(filter) },
    { anew: true },
  );
  const table = useTable(here);
  const lost = Object.values(requests.first?.lost ?? {}).reduce((sum, count) => sum + count, 0);
  return (
    <>
      {lost > 0 && (
        <Alert color="yellow" title="Not all of them are here">
          {many(lost, "record")} of this time could not be kept.
        </Alert>
      )}
      <PagedTable
        {...table}
        of={requests}
        failed="The requests could not be shown"
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
  const { requests, skipped, missed, problem } = useTail(project, service.name, filter);
  const table = useTable(here);
  return (
    <>
      {problem && <Problem of={problem} title="The requests cannot be followed" />}
      {skipped > 0 && (
        <Alert color="yellow" title="Too fast to show them all">
          {many(skipped, "request")} came faster than this page reads; the log has them.
        </Alert>
      )}
      {missed && (
        <Alert color="yellow" title="It was interrupted">
          Requests that came meanwhile are not here; the log has them.
        </Alert>
      )}
      <DataTable
        {...table}
        rows={requests}
        empty={!problem && <Empty title="Following">Requests appear as they are answered.</Empty>}
      />
    </>
  );
}

/** How requests are shown, those of the log and those that are followed. */
function useTable(here: string) {
  const [, go] = useLocation();
  return {
    label: "Requests",
    columns: useMemo(() => columns(here), [here]),
    rowKey: ({ id }: RequestRecord) => id,
    rowHeight: 38,
    onOpen: ({ id }: RequestRecord) => go(`${here}/${id}`),
  };
}

/** A table of what comes page by page, or in its place why it does not. */
import { Box } from "@mantine/core";
import { useLastProblem } from "@/api/lastProblem";
import type { Pages } from "@/api/pages";
import type { ApiProblem } from "@/api/problem";
import { DataTable, type TableProps } from "./DataTable";
import { Problem } from "./Problem";

interface Props<T> extends Omit<TableProps<T>, "rows" | "inSight" | "hasMore" | "loading"> {
  of: Pages<T>;
  failed: string; // "The events could not be shown"
}

export function PagedTable<T>({ of, failed, ...table }: Props<T>) {
  const { error, retry, rows, inSight, hasMore, loading } = of;
  const known = rows.length > 0 || !(loading || error);
  const problem = useLastProblem({ data: known ? rows : undefined, error });
  if (problem) return <Problem of={problem} title={failed} retry={retry} />;
  return (
    <>
      <DataTable {...table} rows={rows} inSight={inSight} hasMore={hasMore} loading={loading} />
      <NotAll why={error} retry={retry} />
    </>
  );
}

/** Below a list: that some of it could not be read, wherever in it somebody is. */
function NotAll({ why, retry }: { why: ApiProblem | null; retry: () => void }) {
  if (why === null || why.status === 0) return null; // of a registry that is away the banner tells
  return (
    <Box pos="sticky" bottom={8} bg="var(--mantine-color-body)">
      <Problem of={why} title="Not all of it could be read, or read again" retry={retry} />
    </Box>
  );
}

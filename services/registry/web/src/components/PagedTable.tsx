/** A table of what comes page by page, or in its place why it does not. */
import type { Pages } from "@/api/pages";
import { DataTable, type TableProps } from "./DataTable";
import { Problem } from "./Problem";

interface Props<T> extends Omit<TableProps<T>, "rows" | "more" | "hasMore" | "loading"> {
  of: Pages<T>;
  failed: string; // "The events could not be shown"
}

export function PagedTable<T>({ of, failed, ...table }: Props<T>) {
  const { rows, more, hasMore, loading, error, retry } = of;
  if (error) return <Problem of={error} title={failed} retry={retry} />;
  return <DataTable {...table} rows={rows} more={more} hasMore={hasMore} loading={loading} />;
}

/**
 * Lists that come page by page.
 *
 * By `offset` each page is an answer of its own: those in sight are asked for, and again when something changed. By
 * `cursor` or `after` a page begins where the one before it ended, so they come in their order, and all again.
 */
import { shallowEqual, useThrottledCallback } from "@mantine/hooks";
import { useInfiniteQuery, useQueries } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { type Answer, ask, askFully, type Input, type Reading } from "./client";
import type { ApiProblem } from "./problem";
import { queries } from "./queries";

const PAGE = 100;
const AHEAD = 50; // rows that are asked for before they are in sight
const REST_MS = 50; // between two looks at what is in sight, however fast it passes

interface PagesOptions {
  size?: number;
  anew?: boolean; // a log, to which something is always added: asked each time it is shown, and then when told to
}

type Rows<O extends Reading> = Answer<O> extends (infer Row)[] ? Row : never;
type Results<O extends Reading> = Answer<O> extends { results: (infer Row)[] } ? Row : never;

/** Rows of which those are here that were in sight. */
export interface SomeRows<Row> {
  readonly length: number;
  at(index: number): Row | undefined;
}

/** What such a list is to the one who shows it. */
export interface Pages<Row, List extends SomeRows<Row> = SomeRows<Row>> {
  rows: List;
  inSight: (first: number, end: number) => void; // of the rows
  hasMore: boolean; // than `rows` knows of
  loading: boolean;
  error: ApiProblem | null; // without rows: why there are none; with them: why some are old or missing
  retry: () => void;
}

interface Page<Row> {
  rows: Row[];
  total: number | null; // on all pages, where the API says it
}

/** For operations with `limit` and `offset` that answer a list. */
export function useOffsetPages<O extends Reading>(
  operation: O,
  input: Input<O>,
  { size = PAGE, anew = false }: PagesOptions = {},
): Pages<Rows<O>> {
  const list = JSON.stringify([operation, input]);
  const { first, last, inSight } = usePagesInSight(list, size);
  const optionsOf = (page: number) => ({
    ...pageAt(operation, input, page * size, size),
    ...(anew && { staleTime: 0, gcTime: 0 }),
  });
  const cached = (page: number) => queries.getQueryData<Page<Rows<O>>>(optionsOf(page).queryKey);
  const total = cached(0)?.total ?? null;
  const end = lastPage(first, size, total, (page) => cached(page)?.rows.length);
  // The first one always: it says how many there are.
  const wanted = [...new Set([0, ...numbers(Math.min(first, end), Math.min(last, end))])];
  const results = useQueries({ queries: wanted.map(optionsOf) });

  const pages = new Map(wanted.map((page, at) => [page, results[at]?.data]));
  const pageOf = (page: number) => {
    if (!pages.has(page)) pages.set(page, cached(page)); // seen before
    return pages.get(page);
  };
  const length = total ?? end * size + (pageOf(end)?.rows.length ?? 0);
  return {
    rows: { length, at: (index) => pageOf(Math.floor(index / size))?.rows[index % size] },
    inSight,
    hasMore: total === null && pageOf(end) === undefined,
    loading: results[0]?.isPending === true || (total === null && results.some(({ isPending }) => isPending)),
    error: (results.find(({ error }) => error)?.error as ApiProblem | undefined) ?? null,
    retry: () => results.forEach(({ refetch }) => void refetch()),
  };
}

/** Asks for the begin of such a list before the one who shows it is there. */
export function askFirstPageAhead<O extends Reading>(operation: O, input: Input<O>): void {
  void queries.prefetchQuery(pageAt(operation, input, 0, PAGE));
}

function pageAt<O extends Reading>(operation: O, input: Input<O>, offset: number, limit: number) {
  const asked = { ...input, query: { ...input.query, limit, offset } } as Input<O>;
  return {
    queryKey: [operation, asked, "page"],
    queryFn: async ({ signal }: { signal: AbortSignal }): Promise<Page<Rows<O>>> => {
      const { answer, total } = await askFully(operation, asked, { signal });
      return { rows: answer as Rows<O>[], total };
    },
  };
}

/** The last page that there is, or when nobody knows, the first that is not here after those that are full. Pure. */
function lastPage(
  from: number,
  size: number,
  total: number | null,
  lengthOf: (page: number) => number | undefined,
): number {
  if (total !== null) return Math.max(Math.ceil(total / size) - 1, 0);
  let page = lengthOf(from) === undefined ? 0 : from;
  while (lengthOf(page) === size) page += 1;
  return page;
}

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}

/** Which pages of a list the rows in sight are on, and those soon to be; of another list, the first one. */
function usePagesInSight(list: string, size: number) {
  const [looked, setLooked] = useState({ list, first: 0, last: 0 });
  const look = useThrottledCallback(
    (now: typeof looked) => setLooked((before) => (shallowEqual(before, now) ? before : now)),
    REST_MS,
  );
  const inSight = useCallback(
    (first: number, end: number) => {
      const page = (row: number) => Math.floor(Math.max(row, 0) / size);
      look({ list, first: page(first - AHEAD), last: page(end + AHEAD) });
    },
    [look, list, size],
  );
  return { ...(looked.list === list ? looked : { first: 0, last: 0 }), inSight };
}

/** How an operation is asked for a page, and what its answer is. */
interface Paging<O extends Reading, Row, At> {
  first: At;
  place: (at: At, size: number) => Record<string, unknown>;
  rowsOf: (page: Answer<O>) => Row[];
  next: (page: Answer<O>, size: number) => At | undefined;
}

/** For operations with `limit` and `after` that answer a list of what has a `number`: that of the last one is `after`. */
export function useNumberedPages<O extends Reading>(operation: O, input: Input<O>, options?: PagesOptions) {
  return usePages<O, Rows<O>, number>(operation, input, options, {
    first: 0,
    place: (after, limit) => ({ limit, after }),
    rowsOf: (page) => page as never,
    next: (page, size) => {
      const rows = page as { number: number }[];
      return rows.length < size ? undefined : rows.at(-1)?.number;
    },
  });
}

/** For operations with `cursor` that answer `{results, next}`. */
export function useCursorPages<O extends Reading>(operation: O, input: Input<O>, options?: PagesOptions) {
  return usePages<O, Results<O>, string>(operation, input, options, {
    first: "",
    place: (cursor, limit) => ({ limit, cursor }),
    rowsOf: (page) => (page as unknown as { results: never[] }).results,
    next: (page) => (page as unknown as { next: string | null }).next ?? undefined,
  });
}

function usePages<O extends Reading, Row, At>(
  operation: O,
  input: Input<O>,
  { size = PAGE, anew = false }: PagesOptions = {},
  { first, place, rowsOf, next }: Paging<O, Row, At>,
): Pages<Row, Row[]> & { first: Answer<O> | undefined } {
  const queryKey: [O, ...unknown[]] = [operation, input, "pages"];
  const query = useInfiniteQuery<Answer<O>, ApiProblem, { pages: Answer<O>[] }, readonly unknown[], At>({
    queryKey,
    queryFn: ({ pageParam, signal }) => {
      const asked = { ...input.query, ...place(pageParam as At, size) };
      return ask(operation, { ...input, query: asked } as Input<O>, { signal });
    },
    initialPageParam: first,
    getNextPageParam: (last) => next(last, size),
    ...(anew && { staleTime: "static", gcTime: 0 }),
  });
  const { data, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  // biome-ignore lint/correctness/useExhaustiveDependencies: `rowsOf` is the same for an operation
  const rows = useMemo(() => data?.pages.flatMap(rowsOf) ?? [], [data]);
  const inSight = useCallback(
    (_: number, end: number) => {
      const asking = isFetchingNextPage || isFetchNextPageError; // what failed is asked for when somebody says so
      if (hasNextPage && !asking && end + AHEAD >= rows.length) void fetchNextPage();
    },
    [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage, rows],
  );
  return {
    rows,
    first: data?.pages[0],
    inSight,
    hasMore: hasNextPage,
    loading: isFetchingNextPage || query.isPending,
    error: query.error,
    retry: () => (query.isFetchNextPageError ? void fetchNextPage() : readFromBegin(...queryKey)),
  };
}

/** Reads what is shown of an operation's list again: its first page, and the others when they are in sight. */
export function readFromBegin(...queryKey: [operation: Reading, ...unknown[]]): void {
  for (const query of queries.getQueryCache().findAll({ queryKey, type: "active" })) {
    const all = query.state.data as { pages: unknown[]; pageParams: unknown[] } | undefined;
    if (all) query.setData({ pages: all.pages.slice(0, 1), pageParams: all.pageParams.slice(0, 1) });
    query.fetch().catch(() => {}); // the query tells why
  }
}

/** Lists that come page by page, by `limit` and `offset`, `cursor` or `after`: what there is so far, and more when asked. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { type Answer, ask, type Input, type Reading } from "./client";
import type { ApiProblem } from "./problem";

const PAGE = 200;

interface PagesOptions {
  size?: number;
  anew?: boolean; // asked each time it is shown, e.g. a log, to which something is always added
}

/** How an operation is asked for a page, and what its answer is. */
interface Paging<O extends Reading, Row, At> {
  first: At;
  place: (at: At, size: number) => Record<string, unknown>;
  rowsOf: (page: Answer<O>) => Row[];
  next: (page: Answer<O>, pages: number, size: number) => At | undefined;
}

type Rows<O extends Reading> = Answer<O> extends (infer Row)[] ? Row : never;
type Results<O extends Reading> = Answer<O> extends { results: (infer Row)[] } ? Row : never;

/** For operations with `limit` and `offset` that answer a list. */
export function useOffsetPages<O extends Reading>(operation: O, input: Input<O>, options?: PagesOptions) {
  return usePages<O, Rows<O>, number>(operation, input, options, {
    first: 0,
    place: (offset, limit) => ({ limit, offset }),
    rowsOf: (page) => page as never,
    next: (page, pages, size) => ((page as unknown[]).length < size ? undefined : pages * size),
  });
}

/** For operations with `limit` and `after` that answer a list of what has a `number`: that of the last one is `after`. */
export function useNumberedPages<O extends Reading>(operation: O, input: Input<O>, options?: PagesOptions) {
  return usePages<O, Rows<O>, number>(operation, input, options, {
    first: 0,
    place: (after, limit) => ({ limit, after }),
    rowsOf: (page) => page as never,
    next: (page, _, size) => {
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

/** What such a list is to the one who shows it. */
export interface Pages<Row> {
  rows: Row[];
  more: () => void;
  hasMore: boolean;
  loading: boolean;
  error: ApiProblem | null;
  retry: () => void;
}

function usePages<O extends Reading, Row, At>(
  operation: O,
  input: Input<O>,
  { size = PAGE, anew = false }: PagesOptions = {},
  { first, place, rowsOf, next }: Paging<O, Row, At>,
): Pages<Row> & { first: Answer<O> | undefined } {
  const query = useInfiniteQuery<Answer<O>, ApiProblem, { pages: Answer<O>[] }, readonly unknown[], At>({
    queryKey: [operation, input, "pages"],
    queryFn: ({ pageParam, signal }) => {
      const given = input as { query?: Record<string, unknown> };
      const asked = { ...given.query, ...place(pageParam as At, size) };
      return ask(operation, { ...input, query: asked } as Input<O>, { signal });
    },
    initialPageParam: first,
    getNextPageParam: (last, all) => next(last, all.length, size),
    ...(anew && { staleTime: 0, gcTime: 0 }),
  });
  return {
    rows: query.data?.pages.flatMap(rowsOf) ?? [],
    first: query.data?.pages[0],
    more: () => void query.fetchNextPage(),
    hasMore: query.hasNextPage,
    loading: query.isFetchingNextPage || query.isPending,
    error: query.data === undefined ? query.error : null,
    retry: () => void query.refetch(),
  };
}

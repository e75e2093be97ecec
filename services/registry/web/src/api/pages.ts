/** Lists that come page by page, by `limit` and `offset` or by `cursor`: what there is so far, and more when asked. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { type Answer, ask, type Input, type Reading } from "./client";
import type { ApiProblem } from "./problem";

export const PAGE = 200;

interface PagesOptions {
  size?: number;
  enabled?: boolean;
  anew?: boolean; // asked each time it is shown, e.g. a log, to which something is always added
}

/** For operations with `limit` and `offset` that answer a list. */
export function useOffsetPages<O extends Reading>(
  operation: O,
  input: Input<O>,
  { size = PAGE, enabled = true, anew = false }: PagesOptions = {},
) {
  return usePages<O, Answer<O> extends (infer Row)[] ? Row : never, number>(
    operation,
    input,
    0,
    (at) => ({ limit: size, offset: at }),
    (page) => page as never,
    (page, pages) => ((page as unknown[]).length < size ? undefined : pages * size),
    enabled,
    anew,
  );
}

/** For operations with `cursor` that answer `{results, next}`. */
export function useCursorPages<O extends Reading>(
  operation: O,
  input: Input<O>,
  { size = PAGE, enabled = true, anew = false }: PagesOptions = {},
) {
  return usePages<O, Answer<O> extends { results: (infer Row)[] } ? Row : never, string>(
    operation,
    input,
    "",
    (cursor) => ({ limit: size, cursor }),
    (page) => (page as unknown as { results: never[] }).results,
    (page) => (page as unknown as { next: string | null }).next ?? undefined,
    enabled,
    anew,
  );
}

function usePages<O extends Reading, Row, At>(
  operation: O,
  input: Input<O>,
  first: At,
  place: (at: At) => Record<string, unknown>,
  rowsOf: (page: Answer<O>) => Row[],
  next: (page: Answer<O>, pages: number) => At | undefined,
  enabled: boolean,
  anew: boolean,
) {
  const query = useInfiniteQuery<Answer<O>, ApiProblem, { pages: Answer<O>[] }, readonly unknown[], At>({
    queryKey: [operation, input, "pages"],
    queryFn: ({ pageParam, signal }) => {
      const given = input as { query?: Record<string, unknown> };
      return ask(operation, { ...input, query: { ...given.query, ...place(pageParam as At) } } as Input<O>, { signal });
    },
    initialPageParam: first,
    getNextPageParam: (last, all) => next(last, all.length),
    enabled,
    ...(anew && { staleTime: 0, gcTime: 0 }),
  });
  const rows = query.data?.pages.flatMap(rowsOf) ?? [];
  return {
    rows,
    first: query.data?.pages[0],
    more: () => void query.fetchNextPage(),
    hasMore: query.hasNextPage,
    loading: query.isFetchingNextPage || query.isPending,
    known: query.data !== undefined,
    error: query.data === undefined ? query.error : null,
    retry: () => void query.refetch(),
  };
}

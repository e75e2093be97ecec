import { useInfiniteQuery } from "@tanstack/react-query";
import { ask } from "@/api/client";
import type { ApiProblem } from "@/api/problem";
import type { DeadLetterBrief } from "@/api/schema";

const SIZE = 50;
const OPERATION = "GET /installation/dead-letters";

/** Messages that consumers gave up, oldest first; the next page begins after the last one's number. */
export function useDeadLetters() {
  const query = useInfiniteQuery<
    DeadLetterBrief[],
    ApiProblem,
    { pages: DeadLetterBrief[][] },
    readonly string[],
    number
  >({
    queryKey: [OPERATION, "pages"],
    queryFn: ({ pageParam, signal }) => ask(OPERATION, { query: { after: pageParam, limit: SIZE } }, { signal }),
    initialPageParam: 0,
    getNextPageParam: (last) => (last.length < SIZE ? undefined : last.at(-1)?.number),
  });
  return {
    rows: query.data?.pages.flat() ?? [],
    more: () => void query.fetchNextPage(),
    hasMore: query.hasNextPage,
    loading: query.isFetchingNextPage || query.isPending,
    error: query.data === undefined ? query.error : null,
    retry: () => void query.refetch(),
  };
}

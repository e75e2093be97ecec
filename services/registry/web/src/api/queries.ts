/** React's side of the client: what was read is kept, and read again when the live stream says that it changed. */
import {
  keepPreviousData,
  QueryClient,
  type UseQueryResult,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { told, toldProblem } from "@/components/notices";
import { type Answer, ask, type Changing, type Input, type Reading } from "./client";
import { type ApiProblem, asProblem } from "./problem";

const RETRIES = 2;
const AGAIN_MS = 5000; // until what was away is back
const FRESH_MS = 15_000; // the stream says what changed; this is for what no event is about

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: FRESH_MS,
      retry: (count, error) => count < RETRIES && asProblem(error).passing,
      refetchOnReconnect: true,
      refetchInterval: ({ state }) => again(state.error),
    },
    mutations: { retry: false, networkMode: "always" }, // nothing is done later that somebody asked for long ago
  },
});

/** Asks before the one who shows the answer is there. */
export function askAhead<O extends Reading>(operation: O, input: Input<O>): void {
  void queries.prefetchQuery(question(operation, input));
}

interface Options<O extends Reading> {
  enabled?: boolean;
  keep?: boolean; // show the former answer until the next one is there, e.g. while a filter is typed
  // ms, for what no event is about, like measurements; false: not again
  every?: number | ((answer: Answer<O> | undefined) => number | false);
  initial?: Answer<O>;
}

/** What an operation answers. `const services = useAsk("GET /projects/{project}/services", { path: { project } })` */
export function useAsk<O extends Reading>(
  operation: O,
  input: Input<O>,
  { enabled = true, keep = false, every, initial }: Options<O> = {},
): UseQueryResult<Answer<O>, ApiProblem> {
  return useQuery<Answer<O>, ApiProblem>({
    ...question(operation, input),
    enabled,
    refetchInterval: ({ state }) => (typeof every === "function" ? every(state.data) : every) || again(state.error),
    initialData: initial as never,
    placeholderData: keep ? (keepPreviousData as never) : undefined,
  });
}

function question<O extends Reading>(operation: O, input: Input<O>) {
  return {
    queryKey: [operation, input],
    queryFn: ({ signal }: { signal: AbortSignal }) => ask(operation, input, { signal }),
  };
}

/** What could not be read and may be readable soon is read again by itself. */
function again(error: unknown): number | false {
  return error !== null && asProblem(error).passing && AGAIN_MS;
}

interface ChangeOptions<O extends Changing> {
  done?: string | ((answer: Answer<O>) => string); // what to say when it went well
  failed?: string; // what did not go well: "web was not deleted"
  quiet?: boolean; // the caller shows the problem itself, e.g. in a form
  after?: (answer: Answer<O>, input: Input<O>) => void;
}

/**
 * A change: `const remove = useChange("DELETE …", { done: "Deleted" }); remove.mutate({ path })`.
 * What is shown of the project is read again afterwards; a problem is shown with its request id.
 */
export function useChange<O extends Changing>(operation: O, options: ChangeOptions<O> = {}) {
  const client = useQueryClient();
  return useMutation<Answer<O>, ApiProblem, Input<O>>({
    mutationFn: (input) => ask(operation, input),
    onSuccess: async (answer, input) => {
      if (options.done) told(typeof options.done === "string" ? options.done : options.done(answer));
      options.after?.(answer, input);
      await client.invalidateQueries();
    },
    onError: (problem) => {
      if (!options.quiet) toldProblem(problem, options.failed);
    },
  });
}

/** Says that what a form offers to choose from could not be read, until it could; nothing else. */
import { useLastProblem } from "@/api/lastProblem";
import type { ApiProblem } from "@/api/problem";
import { Problem } from "./Problem";

interface Read {
  data: unknown;
  error: ApiProblem | null;
  isFetching: boolean;
  refetch: () => unknown;
}

export function Unread({ of, title = "Not all choices could be read" }: { of: Read[]; title?: string }) {
  const missing = of.filter(({ data, error, isFetching }) => data === undefined && (error !== null || isFetching));
  const error = missing.find(({ error }) => error !== null)?.error ?? null;
  const problem = useLastProblem({ data: missing.length === 0 ? of : undefined, error });
  if (problem === null) return null;
  const again = () => missing.forEach(({ refetch }) => void refetch());
  return <Problem of={problem} title={title} retry={again} above />;
}

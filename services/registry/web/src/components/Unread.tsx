/** Says that what a form offers to choose from could not be read; nothing while it could. */
import type { ApiProblem } from "@/api/problem";
import { Problem } from "./Problem";

interface Read {
  data: unknown;
  error: ApiProblem | null;
  refetch: () => unknown;
}

export function Unread({ of, title = "Not all choices could be read" }: { of: Read[]; title?: string }) {
  const failed = of.filter(({ data, error }) => data === undefined && error !== null);
  if (failed.length === 0) return null;
  const again = () => failed.forEach(({ refetch }) => void refetch());
  return <Problem of={failed[0]?.error} title={title} retry={again} above />;
}

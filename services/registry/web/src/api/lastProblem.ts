import { useRef } from "react";
import { type ApiProblem, asProblem } from "./problem";

/** Why there is no answer yet, also while it is asked for once more: what says so must not come and go. */
export function useLastProblem({ data, error }: { data: unknown; error: unknown }): ApiProblem | null {
  const last = useRef<ApiProblem | null>(null);
  if (data !== undefined) last.current = null;
  else if (error !== null) last.current = asProblem(error);
  return last.current;
}

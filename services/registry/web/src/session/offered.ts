/** Which pages somebody is offered: those of which they may see anything, as far as that could be read. */
import { useLastProblem } from "@/api/lastProblem";
import type { ApiProblem } from "@/api/problem";
import { allowsSomewhere, useHeld, useSession } from "./session";

export interface Offered {
  allows: (needs: string | undefined) => boolean;
  unread: ApiProblem | null; // why it is not known what somebody may do here; it is asked for until it is
  again: () => void;
}

/** Null while it is not known. */
export function useOffered(project: string): Offered | null {
  const { user } = useSession();
  const held = useHeld(project);
  const unread = useLastProblem(held);
  if (project !== "" && held.isPending && unread === null) return null;
  const allows = (needs: string | undefined) => {
    if (needs === undefined) return true;
    if (needs === "administrator") return user.administrator;
    return held.data !== undefined && allowsSomewhere(held.data, needs);
  };
  return { allows, unread, again: () => void held.refetch() };
}

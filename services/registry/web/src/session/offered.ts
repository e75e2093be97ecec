/** Which pages somebody is offered: those of which they may see anything. */
import { allowsSomewhere, useHeld, useSession } from "./session";

export type Offered = (needs: string | undefined) => boolean;

/** Null while it is not known. */
export function useOffered(project: string): Offered | null {
  const { user } = useSession();
  const held = useHeld(project);
  if (project !== "" && held.isPending) return null;
  return (needs) => {
    if (needs === undefined) return true;
    if (needs === "administrator") return user.administrator;
    return held.data !== undefined && allowsSomewhere(held.data, needs);
  };
}

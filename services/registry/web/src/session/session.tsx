/** Who is signed in, and what they may do in the project that is open: what they may not is not offered. */
import { useQuery } from "@tanstack/react-query";
import { createContext, type ReactNode, use, useCallback, useEffect } from "react";
import { ask, whenSignedOut } from "@/api/client";
import { type ApiProblem, asProblem } from "@/api/problem";
import { askAhead, queries, useAsk } from "@/api/queries";
import type { HeldPermissions, SessionDetail } from "@/api/schema";

const KEY = ["GET /session", {}] as const;
const UNKNOWN_MS = 3000;
const Signed = createContext<SessionDetail | null>(null);
const WHO = {
  queryKey: KEY,
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    try {
      return await ask("GET /session", {}, { signal });
    } catch (error) {
      if (asProblem(error).status === 401) return null;
      throw error;
    }
  },
  staleTime: Infinity,
};

/** The session, null when nobody is signed in, undefined while that is not known. */
export function useWhoIsThere() {
  useEffect(() => whenSignedOut(signedOut), []);
  return useQuery<SessionDetail | null, ApiProblem>(WHO);
}

/** Asks who is there, and what they hold in a project, before anything that needs it is drawn. */
export function askWhoAhead(project: string): void {
  void queries.prefetchQuery(WHO);
  if (project) askAhead("GET /session/permissions", { query: { project } });
}

export function signedIn(session: SessionDetail): void {
  queries.clear();
  queries.setQueryData(KEY, session);
}

/** Forgets everything that the one who is gone could see. */
export function signedOut(): void {
  if (queries.getQueryData(KEY) === null) return;
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== KEY[0] });
  queries.setQueryData(KEY, null);
}

export function SessionProvider({ session, children }: { session: SessionDetail; children: ReactNode }) {
  return <Signed value={session}>{children}</Signed>;
}

export function useSession(): SessionDetail {
  const session = use(Signed);
  if (session === null) throw new Error("useSession outside of a session");
  return session;
}

export interface On {
  service?: string;
  deployment?: string;
}

export type May = (permission: string, on?: On) => boolean;

/** What somebody holds in a project, asked for until it is known; without a project, nothing is asked. */
export function useHeld(project: string) {
  return useAsk(
    "GET /session/permissions",
    { query: { project } },
    { enabled: project !== "", every: (held) => held === undefined && UNKNOWN_MS },
  );
}

/** `const may = useMay(project); may("services.delete", { service })`. False while it is not known. */
export function useMay(project: string): May {
  const { data } = useHeld(project);
  return useCallback<May>((permission, on) => data !== undefined && allows(data, permission, on), [data]);
}

/** Whether a permission is held in the whole project, or on one thing of it. Pure. */
export function allows(held: HeldPermissions, permission: string, on: On = {}): boolean {
  if (held.everything || held.permissions.includes(permission)) return true;
  return held.on.some(
    ({ resource_type, resource, permissions }) =>
      permissions.includes(permission) && on[resource_type as keyof On] === resource,
  );
}

/** Whether a permission is held on anything in the project: lists are shown then. Pure. */
export function allowsSomewhere(held: HeldPermissions, permission: string): boolean {
  return allows(held, permission) || held.on.some(({ permissions }) => permissions.includes(permission));
}

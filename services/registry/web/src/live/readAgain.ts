/** Which answers of the API a change makes old. Pure. */
import type { Changed } from "@/api/schema";

// Of each kind of thing that the stream tells of, parts of paths. One that is not named here makes everything old:
// better one reading too many.
const CONCERNS: Record<string, string[]> = {
  service: ["/services", "/live"],
  deployment: ["/deployments", "/services"],
  version: ["/deployments", "/services"],
  instance: ["/instances", "/status", "/propagation", "/deployments", "/events"],
  domain: ["/domains", "/certificates", "/services"],
  cert: ["/certificates", "/domains"],
  replica: ["/instances", "/status"],
  limit: ["/limits", "user-rate-limits", "user-concurrency-limits"],
};
const ALWAYS = ["/audit", "/events"];
// Asked all the time by themselves, or about the past.
const NEVER = ["/time-series", "/requests"];

export function concerns(changed: Changed, operation: string): boolean {
  if (operation.endsWith("/session") || NEVER.some((part) => operation.includes(part))) return false;
  const parts = CONCERNS[changed.object_type];
  return parts === undefined || [...parts, ...ALWAYS].some((part) => operation.includes(part));
}

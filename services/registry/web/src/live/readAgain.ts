/** Which answers of the API a change makes old. Pure. */
import type { Changed } from "@/api/schema";

// Parts of paths. What is not named here makes everything old: better one reading too many.
const CONCERNS: Record<string, string[]> = {
  service: ["/services", "/live"],
  deployment: ["/deployments", "/services"],
  version: ["/deployments", "/services"],
  instance: ["/instances", "/status", "/propagation", "/deployments", "/events"],
  domain: ["/domains", "/certificates", "/services"],
  cert: ["/certificates", "/domains"],
  replica: ["/instances", "/status"],
  rollout: ["/rollouts", "/services"],
  router: ["/propagation", "/routers", "/installation"],
  user: ["/users", "/role-assignments", "/session/permissions", "/user"],
  service_user: ["/service-users", "/role-assignments"],
  token: ["/tokens", "/user", "/service-users"],
  role: ["/roles", "/role-assignments", "/session/permissions"],
  access: ["/role-assignments", "/users", "/session/permissions"],
  webhook: ["/webhooks"],
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

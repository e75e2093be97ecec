import type { UseQueryResult } from "@tanstack/react-query";
import type { ApiProblem } from "@/api/problem";
import { useAsk } from "@/api/queries";
import type { ServiceSummary } from "@/api/schema";

/** The services that stand on a deployment, of those that one may see. */
export function useServicesOn(project: string, deployment: string): UseQueryResult<ServiceSummary[], ApiProblem> {
  const services = useAsk("GET /projects/{project}/services", { path: { project }, query: { detail: false } });
  const data = services.data?.filter((service) => service.deployment === deployment);
  return { ...services, data } as UseQueryResult<ServiceSummary[], ApiProblem>;
}

/** What a webhook can be called for; a test keeps this list at what the registry knows. Pure. */

export type ObjectType = "service" | "deployment";

export const EVENTS: Record<ObjectType, { value: string; label: string }[]> = {
  service: [
    { value: "service_unhealthy", label: "no instance is healthy any more" },
    { value: "service_recovered", label: "an instance is healthy again" },
    { value: "limit_reached", label: "a limit is reached" },
    { value: "certificate_expiring", label: "a certificate expires soon" },
    { value: "certificate_renewal_failed", label: "a certificate could not be renewed" },
    { value: "service_created", label: "a service was made" },
    { value: "service_updated", label: "a service was changed" },
    { value: "service_deleted", label: "a service was deleted" },
  ],
  deployment: [
    { value: "deployment_request_failed", label: "a request failed" },
    { value: "deployment_request_completed", label: "a request went well" },
    { value: "deployment_request_finished", label: "a request ended, well or not" },
    { value: "deployment_request_started", label: "a request was made" },
  ],
};

export function inWords(event: string): string {
  const all = [...EVENTS.service, ...EVENTS.deployment];
  return all.find(({ value }) => value === event)?.label ?? event;
}

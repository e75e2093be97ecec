/** The tabs of a service's page, each a chunk of its own. */
import type { ComponentType } from "react";
import type { ServiceDetail } from "@/api/schema";

export interface TabProps {
  project: string;
  service: ServiceDetail;
}

export interface Tab {
  value: string; // in the address, but for the first, which has none there
  label: string;
  needs: string; // the permission, on the service or its deployment
  load: () => Promise<{ default: ComponentType<TabProps> }>;
}

export const tabs: Tab[] = [
  { value: "overview", label: "Overview", needs: "services.get", load: () => import("./overview/OverviewTab") },
  { value: "call", label: "Call it", needs: "services.get", load: () => import("./call/CallTab") },
  {
    value: "instances",
    label: "Instances",
    needs: "instances.list",
    load: () => import("./instances/InstancesTab"),
  },
  {
    value: "requests",
    label: "Requests",
    needs: "deployments.versions.requests.list",
    load: () => import("./requests/RequestsTab"),
  },
  {
    value: "rollout",
    label: "Rollout",
    needs: "services.get",
    load: () => import("../deployments/rollout/RolloutTab"),
  },
  { value: "access", label: "Access and limits", needs: "services.get", load: () => import("./access/AccessTab") },
  { value: "domains", label: "Domains", needs: "services.get", load: () => import("./domains/DomainsTab") },
  { value: "settings", label: "Settings", needs: "services.update", load: () => import("./settings/SettingsTab") },
  { value: "events", label: "Events", needs: "events.list", load: () => import("./events/EventsTab") },
  { value: "danger", label: "Danger zone", needs: "services.delete", load: () => import("./danger/DangerTab") },
];

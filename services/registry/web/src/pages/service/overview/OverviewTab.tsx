/** How a service does: now, and over the time that is chosen. */
import { Stack } from "@mantine/core";
import { useMay } from "@/session/session";
import type { TabProps } from "../tabs";
import { Charts } from "./Charts";
import { LimitsNow } from "./LimitsNow";
import { Now } from "./Now";

export default function OverviewTab({ project, service }: TabProps) {
  const may = useMay(project);
  const on = { service: service.name, deployment: service.deployment };
  return (
    <Stack>
      <Now service={service} />
      {may("services.limits.list", on) && <LimitsNow project={project} service={service} />}
      {may("metrics.get", on) && <Charts project={project} service={service} />}
    </Stack>
  );
}

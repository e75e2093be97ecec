/** Who may call a service, and how much. */
import { Stack } from "@mantine/core";
import { useMay } from "@/session/session";
import type { TabProps } from "../tabs";
import { BasicUsers } from "./BasicUsers";
import { Holders } from "./Holders";
import { Limits, limitsOf } from "./Limits";
import { SharingLinks } from "./SharingLinks";
import { UserLimits } from "./UserLimits";
import { WaysIn } from "./WaysIn";

export default function AccessTab({ project, service }: TabProps) {
  const may = useMay(project);
  const on = { service: service.name, deployment: service.deployment };
  return (
    <Stack>
      <WaysIn project={project} service={service} />
      {may("roles.assignments.list") && <Holders project={project} service={service} />}
      <Limits key={limitsOf(service)} project={project} service={service} />
      {may("services.limits.list", on) && <UserLimits project={project} service={service} />}
      {may("services.update", on) && <SharingLinks project={project} service={service} />}
      {may("services.update", on) && <BasicUsers project={project} service={service} />}
    </Stack>
  );
}

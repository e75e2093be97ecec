/** Names under which a service is reached besides its own, and the certificates of all of them. */
import { Stack } from "@mantine/core";
import type { TabProps } from "../tabs";
import { Certificates } from "./Certificates";
import { Domains } from "./Domains";

export default function DomainsTab({ project, service }: TabProps) {
  return (
    <Stack>
      <Domains project={project} service={service} />
      <Certificates project={project} service={service} />
    </Stack>
  );
}

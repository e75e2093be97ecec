/** Whether a first request would succeed now, what is still missing, and how to send it. */
import { Stack } from "@mantine/core";
import type { TabProps } from "../tabs";
import { Readiness } from "./Readiness";
import { Snippets } from "./Snippets";

export default function CallTab({ project, service }: TabProps) {
  return (
    <Stack maw={860}>
      <Readiness project={project} service={service} />
      <Snippets project={project} service={service} />
    </Stack>
  );
}

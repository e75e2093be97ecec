/** Before another version becomes the default: which services go over with it, and whether it can answer. */
import { Alert, Anchor, Button, Group, List, Modal, Radio, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { useChange } from "@/api/queries";
import type { DeploymentDetail, ServiceSummary } from "@/api/schema";
import { many } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { Problem } from "@/components/Problem";
import { Unread } from "@/components/Unread";
import { inWords, useCount } from "./Standing";
import { useServicesOn } from "./useServicesOn";

const WAIT_S = 60;
const LISTED = 8;

interface Props {
  project: string;
  deployment: DeploymentDetail;
  to: string;
  onClose: () => void;
}

export function DefaultSwitch({ project, deployment, to, onClose }: Props) {
  const services = useServicesOn(project, deployment.name);
  const { count, asked } = useCount(project, deployment.name, to);
  const [how, setHow] = useState("wait");
  const save = useChange("PATCH /projects/{project}/deployments/{deployment}", {
    quiet: true,
    done: `${to} is the default version now`,
    after: onClose,
  });
  const unready = count !== undefined && count.healthy === 0;
  const go = () =>
    save.mutate({
      path: { project, deployment: deployment.name },
      query: unready ? (how === "force" ? { force: true } : { wait_s: WAIT_S }) : {},
      body: { default_version: to },
    });
  return (
    <Modal opened onClose={onClose} title={`Make ${to} the default version?`} size="lg">
      <Stack>
        <Loaded of={services} title="The services could not be shown">
          {(found) => <WhatItDoes project={project} deployment={deployment} to={to} services={found} />}
        </Loaded>
        <Unread of={[asked]} title={`How the instances of ${to} do could not be read`} />
        {count && !unready && (
          <Text size="sm">
            {to} has {inWords(count)}. Requests that are under way end where they are; new ones go to {to} at once.
          </Text>
        )}
        {unready && (
          <Alert color="yellow" title={`${to} has no healthy instance`}>
            <Radio.Group value={how} onChange={setHow} aria-label="What to do">
              <Stack gap="xs">
                <Radio value="wait" label={`Wait for one, up to ${WAIT_S} s; without one nothing changes`} />
                <Radio value="force" label="Go over all the same: requests fail until there is one" />
              </Stack>
            </Radio.Group>
          </Alert>
        )}
        {save.error && <Problem of={save.error} title="The default version is as before" />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button onClick={go} loading={save.isPending} data-autofocus>
            Make it the default
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

interface WhatProps {
  project: string;
  deployment: DeploymentDetail;
  to: string;
  services: ServiceSummary[];
}

function WhatItDoes({ project, deployment, to, services }: WhatProps) {
  const following = services.filter(({ version }) => version === null);
  const pinned = services.length - following.length;
  const from = deployment.default_version;
  return (
    <Stack gap={6}>
      {following.length === 0 ? (
        <Text size="sm">No service follows the default version, so no request goes elsewhere.</Text>
      ) : (
        <>
          <Text size="sm">
            {many(following.length, "service")} {following.length === 1 ? "follows" : "follow"} the default version and
            {following.length === 1 ? " goes" : " go"} over{from ? ` from ${from}` : ""} to {to}:
          </Text>
          <List size="sm" spacing={2}>
            {following.slice(0, LISTED).map(({ id, name }) => (
              <List.Item key={id}>
                <Anchor component={Link} href={`/projects/${project}/services/${name}`} inherit>
                  {name}
                </Anchor>
              </List.Item>
            ))}
            {following.length > LISTED && <List.Item>and {following.length - LISTED} more</List.Item>}
          </List>
          <Text size="sm" c="dimmed">
            To go over in steps, and back by itself when it goes wrong, begin a rollout on the service's page instead.
          </Text>
        </>
      )}
      {pinned > 0 && (
        <Text size="sm">
          {many(pinned, "service")} {pinned === 1 ? "names a version and stays" : "name a version and stay"} where{" "}
          {pinned === 1 ? "it is" : "they are"}.
        </Text>
      )}
    </Stack>
  );
}

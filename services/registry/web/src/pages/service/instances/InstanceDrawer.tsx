/** One instance: what it is, how its health changed and what was seen, and the way to remove it. */
import { Button, Drawer, Group, Stack, Text, Timeline, Title } from "@mantine/core";
import { useState } from "react";
import { useAsk, useChange } from "@/api/queries";
import type { HealthChange, InstanceDetail } from "@/api/schema";
import { Ago } from "@/components/Ago";
import { Confirm } from "@/components/Confirm";
import { type Fact, Facts, Id } from "@/components/Facts";
import { moment } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { Unread } from "@/components/Unread";
import { useMay } from "@/session/session";
import { Health, HealthBadge } from "./Health";

const LOOK_EVERY_MS = 1000; // what is under way is a measurement, of which no event tells
const ONE = "/projects/{project}/deployments/{deployment}/versions/{version}/instances/{instance}";

interface Props {
  project: string;
  deployment: string;
  version: string;
  instance: InstanceDetail | null;
  onClose: () => void;
}

export function InstanceDrawer({ instance, onClose, ...where }: Props) {
  return (
    <Drawer opened={instance !== null} onClose={onClose} size="lg" title="Instance">
      {instance && <Opened instance={instance} {...where} onClose={onClose} />}
    </Drawer>
  );
}

function Opened({ instance, onClose, ...where }: Props & { instance: InstanceDetail }) {
  const may = useMay(where.project);
  const path = { ...where, instance: instance.id };
  const history = useAsk(`GET ${ONE}/health`, { path });
  const removable = instance.status !== "stopping" && may("instances.delete", { deployment: where.deployment });
  return (
    <Stack>
      <About instance={instance} />
      {instance.status === "stopping" && <UnderWay path={path} />}
      {removable && <Remove path={path} instance={instance} onClose={onClose} />}
      <Title order={3} size="h5">
        Health
      </Title>
      <Loaded of={history} title="The history could not be shown">
        {(changes) => <History changes={changes} />}
      </Loaded>
    </Stack>
  );
}

function About({ instance }: { instance: InstanceDetail }) {
  const { id, address, port, metadata, note, reason, time_created: since, weight } = instance;
  const facts: Fact[] = [
    ["Id", <Id key="id" value={id} label="Copy the id" />],
    ["Address", `${address}${port ? `:${port}` : ", at the service's port"}`],
    ["Health", <Health key="health" instance={instance} />],
    ["Why", reason],
    ["Weight", weight],
    ["Registered", moment(since)],
    ["Lease ends", instance.lease_expires ? <Ago key="lease" time={instance.lease_expires} /> : "never"],
    ["Note", note],
    ...Object.entries(metadata),
  ];
  return <Facts label="The instance" of={facts} width={120} />;
}

type Path = { project: string; deployment: string; version: string; instance: string };

/** What a stopping instance still has to finish, router by router. */
function UnderWay({ path }: { path: Path }) {
  const now = useAsk(`GET ${ONE}`, { path }, { every: LOOK_EVERY_MS });
  if (now.data === undefined) return <Unread of={[now]} title="What it still has to finish could not be read" />;
  const routers = now.data.in_flight ?? [];
  if (routers.length === 0)
    return <Text size="sm">No new requests go there; it is removed when routers have let go of it.</Text>;
  return (
    <Stack gap={2}>
      <Text size="sm">No new requests go there; these are still under way:</Text>
      {routers.map(({ router, in_flight }) => (
        <Text key={router} size="sm">
          {router}: {in_flight}
        </Text>
      ))}
    </Stack>
  );
}

function Remove({ path, instance, onClose }: { path: Path; instance: InstanceDetail; onClose: () => void }) {
  const [asking, setAsking] = useState(false);
  const remove = useChange(`DELETE ${ONE}`, { quiet: true, done: `${instance.address} is draining`, after: onClose });
  return (
    <>
      <Button color="red" variant="light" onClick={() => setAsking(true)} style={{ alignSelf: "flex-start" }}>
        Drain and remove
      </Button>
      <Confirm
        opened={asking}
        title={`Drain ${instance.address}?`}
        action="Drain and remove"
        color="red"
        working={remove.isPending}
        problem={remove.error}
        onConfirm={() => remove.mutate({ path })}
        onClose={() => setAsking(false)}
      >
        It gets no new requests from now on. Those under way may end, and then it is removed. The program itself goes on
        running, unless whoever started it stops it.
      </Confirm>
    </>
  );
}

function History({ changes }: { changes: HealthChange[] }) {
  if (changes.length === 0) return <Text size="sm">Its health never changed.</Text>;
  return (
    <Timeline active={changes.length} bulletSize={14} lineWidth={2}>
      {changes.map(({ id, time, before, health, reason, evidence }) => (
        <Timeline.Item
          key={id}
          title={
            <Group gap={6}>
              <HealthBadge word={health} />
              <Text size="xs" c="dimmed">
                was {before || "unknown"} · {moment(time)}
              </Text>
            </Group>
          }
        >
          <Text size="sm" style={{ overflowWrap: "anywhere" }}>
            {reason}
          </Text>
          {evidence.map((seen) => (
            <Text key={seen} size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
              {seen}
            </Text>
          ))}
        </Timeline.Item>
      ))}
    </Timeline>
  );
}

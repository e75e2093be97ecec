/** What a first request needs, one after the other, followed until all of it is there. */
import { Anchor, Card, Group, List, Loader, Stack, Text, ThemeIcon, Title } from "@mantine/core";
import { Check, Minus } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useAsk } from "@/api/queries";
import type { Propagation, ServiceCertificate, ServiceDetail } from "@/api/schema";
import { many, moment } from "@/components/format";
import { Unread } from "@/components/Unread";
import { useLiveService } from "@/live/services";

const WHILE_WAITING_MS = 1000; // how far routers have come is no event of the project

export function Readiness({ project, service }: { project: string; service: ServiceDetail }) {
  const live = useLiveService(service.id);
  const at = { path: { project, service: service.name } };
  const spread = useAsk("GET /projects/{project}/services/{service}/propagation", at, {
    every: (answer) => (isApplied(answer) ? false : WHILE_WAITING_MS),
  });
  const certificates = useAsk("GET /projects/{project}/services/{service}/certificates", at, {
    every: (answer) => (isCovered(answer) ? false : WHILE_WAITING_MS),
  });
  const covered = isCovered(certificates.data);
  const ready = (live?.instances_ready ?? 0) > 0;
  const applied = isApplied(spread.data);
  return (
    <Card withBorder role="status" aria-live="polite">
      <Title order={2} size="h4" mb="sm">
        {ready && applied && covered ? "Ready: a request is answered now" : "Not ready yet"}
      </Title>
      <List spacing="xs" listStyleType="none" withPadding={false}>
        <Step done={covered}>{certificateInWords(certificates.data)}</Step>
        <Step done={ready}>
          {ready ? (
            <>
              {many(live?.instances_ready ?? 0, "instance")} of {live?.instances} can take requests
            </>
          ) : (
            <WhyNotReady project={project} service={service} instances={live?.instances} />
          )}
        </Step>
        <Step done={applied}>{routersInWords(spread.data)}</Step>
      </List>
      <Unread of={[certificates, spread]} title="How far it is could not be read" />
    </Card>
  );
}

function isApplied(spread: Propagation | undefined): boolean {
  return spread?.applied === true && spread.workers.length > 0;
}

/** Whether the service's own address has a certificate. */
function isCovered(certificates: ServiceCertificate[] | undefined): boolean {
  const own = certificates?.find(({ own_domain }) => !own_domain);
  return own?.not_after != null && own.status !== "expired";
}

function certificateInWords(certificates: ServiceCertificate[] | undefined): string {
  const own = certificates?.find(({ own_domain }) => !own_domain);
  if (own === undefined) return "Waiting for its certificate";
  if (isCovered(certificates)) return `Its certificate is valid until ${moment(own.not_after)}`;
  return own.reason ? `No certificate yet: ${own.reason}` : "Its certificate is being obtained";
}

function Step({ done, children }: { done: boolean; children: ReactNode }) {
  return (
    <List.Item
      icon={
        done ? (
          <ThemeIcon color="green" size={22} radius="xl" variant="light" role="img" aria-label="Done">
            <Check size={14} />
          </ThemeIcon>
        ) : (
          <Loader size={20} role="img" aria-label="Waiting" />
        )
      }
    >
      <Text size="sm" component="div">
        {children}
      </Text>
    </List.Item>
  );
}

function WhyNotReady({
  project,
  service,
  instances,
}: {
  project: string;
  service: ServiceDetail;
  instances: number | undefined;
}) {
  if (instances === undefined) return <>Looking for its instances</>;
  if (instances > 0) {
    return (
      <>
        {many(instances, "instance")}, none of them healthy:{" "}
        <Anchor component={Link} href={`/projects/${project}/services/${service.name}/instances`} inherit>
          see why
        </Anchor>
      </>
    );
  }
  return (
    <Stack gap={4}>
      <Text size="sm">No instance of {service.deployment} is registered yet. To start one on this machine:</Text>
      <code>{`narthex run ${service.deployment} --port ${service.port} -- COMMAND {host} {port}`}</code>
    </Stack>
  );
}

function routersInWords(spread: Propagation | undefined): ReactNode {
  if (spread === undefined) return "Asking the routers";
  const { workers, sequence } = spread;
  if (workers.length === 0) return "No router has reported yet";
  const behind = workers.filter((worker) => worker.applied_sequence < sequence).length;
  if (behind === 0) return `${many(workers.length, "router worker")} ${workers.length === 1 ? "knows" : "know"} it`;
  return (
    <Group gap={4}>
      <Minus size={14} aria-hidden="true" />
      {many(behind, "router worker")} of {workers.length} not reached yet
    </Group>
  );
}

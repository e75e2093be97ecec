/** One webhook: what it is called for, how its calls went, a test, and its end. */
import { Badge, Button, Group, Stack, Text } from "@mantine/core";
import { Pencil } from "lucide-react";
import { useState } from "react";
import { useLocation, useParams } from "wouter";
import { useAsk, useChange } from "@/api/queries";
import type { WebhookDetail } from "@/api/schema";
import { type Fact, Facts } from "@/components/Facts";
import { moment } from "@/components/format";
import { Labels } from "@/components/Labels";
import { Loaded } from "@/components/Loaded";
import { PageHead } from "@/components/PageHead";
import { RemoveSection } from "@/components/RemoveSection";
import { Section } from "@/components/Section";
import { useMay } from "@/session/session";
import { about } from "./about";
import { Calls } from "./Calls";
import { inWords } from "./events";
import { TestCall } from "./TestCall";
import { WebhookDialog } from "./WebhookDialog";

export default function WebhookPage() {
  const { project = "", webhook: name = "" } = useParams();
  const webhook = useAsk("GET /projects/{project}/webhooks/{webhook}", { path: { project, webhook: name } });
  return (
    <Loaded of={webhook} title={`${name} could not be shown`} lines={6}>
      {(found) => <Found project={project} webhook={found} />}
    </Loaded>
  );
}

function Found({ project, webhook }: { project: string; webhook: WebhookDetail }) {
  const may = useMay(project);
  const [editing, setEditing] = useState(false);
  return (
    <>
      <PageHead
        title={webhook.name}
        beside={<Badge color={webhook.enabled ? "green" : "gray"}>{webhook.enabled ? "enabled" : "off"}</Badge>}
        path={[{ label: "Webhooks", href: `/projects/${project}/webhooks` }]}
      >
        {may("webhooks.update") && (
          <Button variant="default" leftSection={<Pencil size={16} />} onClick={() => setEditing(true)}>
            Edit
          </Button>
        )}
      </PageHead>
      <Stack>
        <Section title="What it does">
          <About of={webhook} />
        </Section>
        {may("webhooks.create") && <TestCall project={project} webhook={webhook} />}
        <Calls project={project} webhook={webhook.name} />
        {may("webhooks.delete") && <Remove project={project} webhook={webhook} />}
      </Stack>
      {editing && <WebhookDialog project={project} webhook={webhook} onClose={() => setEditing(false)} />}
    </>
  );
}

function About({ of }: { of: WebhookDetail }) {
  const facts: Fact[] = [
    ["When", inWords(of.event)],
    ["Of", about(of)],
    [
      "Calls",
      <Text key="url" size="sm" ff="monospace">
        {of.url}
      </Text>,
    ],
    ["Headers", of.headers.length > 0 && of.headers.map(({ key, value }) => `${key}: ${value}`).join(", ")],
    ["Answers within", `${of.timeout} s${of.retry ? ", tried again when it fails" : ""}`],
    ["Description", of.description],
    [
      "Labels",
      Object.keys(of.labels).length > 0 && (
        <Group key="labels">
          <Labels labels={of.labels} />
        </Group>
      ),
    ],
    ["Made", moment(of.creation_date)],
  ];
  return <Facts label="The webhook" of={facts} width={150} />;
}

function Remove({ project, webhook: { name } }: { project: string; webhook: WebhookDetail }) {
  const [, go] = useLocation();
  const remove = useChange("DELETE /projects/{project}/webhooks/{webhook}", {
    quiet: true,
    done: `${name} is deleted`,
    after: () => go(`/projects/${project}/webhooks`),
  });
  return (
    <RemoveSection
      noun="webhook"
      name={name}
      consequence="Calls that are waiting are not made, and how earlier ones went is forgotten."
      working={remove.isPending}
      problem={remove.error}
      onConfirm={() => remove.mutate({ path: { project, webhook: name } })}
    />
  );
}

/** The webhooks of a project: whom to call when something happens. */
import { Anchor, Badge, Button, Text } from "@mantine/core";
import { Plus } from "lucide-react";
import { useState } from "react";
import { Link, useLocation, useParams } from "wouter";
import { useAsk } from "@/api/queries";
import type { WebhookDetail } from "@/api/schema";
import { type Column, DataTable } from "@/components/DataTable";
import { Empty } from "@/components/Empty";
import { Loaded } from "@/components/Loaded";
import { PageHead } from "@/components/PageHead";
import { useMay } from "@/session/session";
import { about } from "./about";
import { inWords } from "./events";
import { WebhookDialog } from "./WebhookDialog";

export default function WebhooksPage() {
  const { project = "" } = useParams();
  const [, go] = useLocation();
  const may = useMay(project);
  const here = `/projects/${project}/webhooks`;
  const [creating, setCreating] = useState(false);
  const webhooks = useAsk("GET /projects/{project}/webhooks", { path: { project } });
  const create = may("webhooks.create") && (
    <Button leftSection={<Plus size={16} />} onClick={() => setCreating(true)}>
      Create webhook
    </Button>
  );
  return (
    <>
      <PageHead title="Webhooks">{create}</PageHead>
      <Loaded of={webhooks} title="The webhooks could not be shown">
        {(found) => (
          <DataTable
            label="Webhooks"
            columns={columns(here)}
            rows={found}
            rowKey={({ id }) => id}
            onOpen={({ name }) => go(`${here}/${name}`)}
            empty={
              <Empty title="No webhooks yet" action={create}>
                A webhook calls an address of yours when something happens, e.g. when a service has no healthy instance
                any more.
              </Empty>
            }
          />
        )}
      </Loaded>
      {creating && <WebhookDialog project={project} webhook={null} onClose={() => setCreating(false)} />}
    </>
  );
}

function columns(here: string): Column<WebhookDetail>[] {
  return [
    {
      key: "name",
      header: "Webhook",
      width: "minmax(110px, 1fr)",
      cell: ({ name }) => (
        <Anchor component={Link} href={`${here}/${name}`} fw={600} size="sm">
          {name}
        </Anchor>
      ),
    },
    {
      key: "event",
      header: "When",
      width: "minmax(140px, 1.4fr)",
      cell: ({ event }) => (
        <Text size="sm" truncate title={event}>
          {inWords(event)}
        </Text>
      ),
    },
    { key: "about", header: "Of", width: "minmax(110px, 1fr)", from: "md", cell: about },
    {
      key: "url",
      header: "Calls",
      width: "minmax(160px, 2fr)",
      from: "sm",
      cell: ({ url }) => (
        <Text size="sm" ff="monospace" truncate title={url}>
          {url}
        </Text>
      ),
    },
    {
      key: "enabled",
      header: "State",
      width: "90px",
      cell: ({ enabled }) => <Badge color={enabled ? "green" : "gray"}>{enabled ? "enabled" : "off"}</Badge>,
    },
  ];
}

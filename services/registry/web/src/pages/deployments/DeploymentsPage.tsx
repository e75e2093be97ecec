/** The deployments of a project: what answers behind its services. */
import { Anchor, Button, Text, TextInput } from "@mantine/core";
import { Plus, Search } from "lucide-react";
import { useState } from "react";
import { Link, useLocation, useParams } from "wouter";
import { useAsk } from "@/api/queries";
import type { DeploymentDetail } from "@/api/schema";
import { Ago } from "@/components/Ago";
import { type Column, DataTable } from "@/components/DataTable";
import { Empty } from "@/components/Empty";
import { NOTHING } from "@/components/format";
import { Labels } from "@/components/Labels";
import { Loaded } from "@/components/Loaded";
import { textsOf } from "@/components/labels";
import { PageHead } from "@/components/PageHead";
import { useMay } from "@/session/session";
import { DeploymentDialog } from "./DeploymentDialog";

export default function DeploymentsPage() {
  const { project = "" } = useParams();
  const [, go] = useLocation();
  const may = useMay(project);
  const [search, setSearch] = useState("");
  const [creating, setCreating] = useState(false);
  const deployments = useAsk("GET /projects/{project}/deployments", { path: { project } });
  const here = `/projects/${project}/deployments`;
  const create = may("deployments.create") && (
    <Button leftSection={<Plus size={16} />} onClick={() => setCreating(true)}>
      Create deployment
    </Button>
  );
  return (
    <>
      <PageHead title="Deployments">{create}</PageHead>
      <TextInput
        aria-label="Search deployments"
        placeholder="Name, description or label"
        leftSection={<Search size={16} />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
        mb="sm"
        w={{ base: "100%", xs: 320 }}
      />
      <Loaded of={deployments} title="The deployments could not be shown" lines={6}>
        {(found) => (
          <DataTable
            label="Deployments"
            columns={columns(here, (label) => setSearch(label))}
            rows={found.filter((deployment) => fits(deployment, search))}
            rowKey={({ id }) => id}
            onOpen={({ name }) => go(`${here}/${name}`)}
            empty={
              search ? (
                <Empty title="No deployment is like that">Search for less.</Empty>
              ) : (
                <Empty title="No deployments yet" action={create}>
                  A deployment is what answers: its versions, and the instances of each. Services stand on it.
                </Empty>
              )
            }
          />
        )}
      </Loaded>
      {creating && (
        <DeploymentDialog
          project={project}
          onClose={() => setCreating(false)}
          onSaved={({ name }) => go(`${here}/${name}`)}
        />
      )}
    </>
  );
}

function fits({ name, description, labels }: DeploymentDetail, search: string): boolean {
  const wanted = search.toLowerCase();
  return [name, description, ...textsOf(labels)].some((text) => text.toLowerCase().includes(wanted));
}

function columns(here: string, chooseLabel: (label: string) => void): Column<DeploymentDetail>[] {
  return [
    {
      key: "name",
      header: "Deployment",
      width: "minmax(120px, 1fr)",
      cell: ({ name }) => (
        <Anchor component={Link} href={`${here}/${name}`} fw={600} size="sm">
          {name}
        </Anchor>
      ),
    },
    {
      key: "default",
      header: "Default version",
      width: "minmax(90px, 140px)",
      cell: (deployment) => deployment.default_version ?? NOTHING,
    },
    {
      key: "description",
      header: "Description",
      width: "minmax(120px, 2fr)",
      from: "sm",
      cell: ({ description }) => (
        <Text size="sm" truncate title={description}>
          {description || NOTHING}
        </Text>
      ),
    },
    {
      key: "labels",
      header: "Labels",
      width: "minmax(120px, 1fr)",
      from: "lg",
      cell: ({ labels }) => <Labels labels={labels} onChoose={chooseLabel} />,
    },
    {
      key: "updated",
      header: "Changed",
      width: "130px",
      from: "md",
      cell: ({ last_updated }) => <Ago time={last_updated} />,
    },
  ];
}

/** The instances behind a service: how they are and why, and what each of them went through. */
import { Text } from "@mantine/core";
import { useState } from "react";
import { useCursorPages } from "@/api/pages";
import { useAsk } from "@/api/queries";
import type { InstanceDetail } from "@/api/schema";
import { DataTable } from "@/components/DataTable";
import { Empty } from "@/components/Empty";
import { Loaded } from "@/components/Loaded";
import { Problem } from "@/components/Problem";
import type { TabProps } from "../tabs";
import { columns } from "./columns";
import { InstanceDrawer } from "./InstanceDrawer";

export default function InstancesTab({ project, service }: TabProps) {
  const deployment = useAsk(
    "GET /projects/{project}/deployments/{deployment}",
    { path: { project, deployment: service.deployment } },
    { enabled: service.version === null },
  );
  if (service.version !== null) return <Instances project={project} service={service} version={service.version} />;
  return (
    <Loaded of={deployment} title="The deployment could not be shown">
      {({ default_version: version }) =>
        version === null ? (
          <Empty title="The deployment has no version">
            Instances belong to a version; make one under Deployments.
          </Empty>
        ) : (
          <Instances project={project} service={service} version={version} />
        )
      }
    </Loaded>
  );
}

function Instances({ project, service, version }: TabProps & { version: string }) {
  const { deployment } = service;
  const [chosen, choose] = useState<string | null>(null);
  const instances = useCursorPages(
    "GET /projects/{project}/deployments/{deployment}/versions/{version}/instances",
    { path: { project, deployment, version } },
    { size: 100 },
  );
  if (instances.error) {
    return <Problem of={instances.error} title="The instances could not be shown" retry={instances.retry} />;
  }
  return (
    <>
      <Text size="sm" c="dimmed" mb="xs">
        Of {deployment}, version {version}
      </Text>
      <DataTable<InstanceDetail>
        label="Instances"
        columns={columns((instance) => choose(instance.id))}
        rows={instances.rows}
        rowKey={({ id }) => id}
        more={instances.more}
        hasMore={instances.hasMore}
        loading={instances.loading}
        onOpen={({ id }) => choose(id)}
        empty={
          <Empty title="No instances">
            <code>{`narthex run ${deployment} --port ${service.port} -- COMMAND {host} {port}`}</code> starts one on
            this machine; programs register themselves with the API, and discovery finds what runs in Docker, Kubernetes
            or DNS.
          </Empty>
        }
      />
      <InstanceDrawer
        project={project}
        deployment={deployment}
        version={version}
        instance={instances.rows.find(({ id }) => id === chosen) ?? null}
        onClose={() => choose(null)}
      />
    </>
  );
}

/** The instances behind a service: how they are and why, and what each of them went through. */
import { Text } from "@mantine/core";
import { useAsk } from "@/api/queries";
import { Empty } from "@/components/Empty";
import { Loaded } from "@/components/Loaded";
import type { TabProps } from "../tabs";
import { InstanceList } from "./InstanceList";

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
  return (
    <>
      <Text size="sm" c="dimmed" mb="xs">
        Of {deployment}, version {version}
      </Text>
      <InstanceList
        path={{ project, deployment, version }}
        empty={
          <Empty title="No instances">
            <code>{`narthex run ${deployment} --port ${service.port} -- COMMAND {host} {port}`}</code> starts one on
            this machine; programs register themselves with the API, and discovery finds what runs in Docker, Kubernetes
            or DNS.
          </Empty>
        }
      />
    </>
  );
}

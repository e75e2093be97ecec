/** One version of a deployment: its instances, its settings, its variables. */
import { Badge, Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import { useLocation, useParams } from "wouter";
import { useAsk, useChange } from "@/api/queries";
import type { VersionDetail } from "@/api/schema";
import { Labels } from "@/components/Labels";
import { Loaded } from "@/components/Loaded";
import { PageHead } from "@/components/PageHead";
import { RemoveSection } from "@/components/RemoveSection";
import { type RoutedTab, RoutedTabs } from "@/components/RoutedTabs";
import { Unread } from "@/components/Unread";
import { useMay } from "@/session/session";
import { Variables } from "../../project/variables/Variables";
import { DefaultSwitch } from "../DefaultSwitch";
import { Standing } from "../Standing";
import { Instances } from "./Instances";
import { Settings } from "./Settings";

const ONE = "/projects/{project}/deployments/{deployment}/versions/{version}";

export default function VersionPage() {
  const { project = "", deployment = "", version: name = "" } = useParams();
  const version = useAsk(`GET ${ONE}`, { path: { project, deployment, version: name } });
  return (
    <Loaded of={version} title={`${name} could not be shown`} lines={6}>
      {(found) => <Found project={project} version={found} />}
    </Loaded>
  );
}

function Found({ project, version }: { project: string; version: VersionDetail }) {
  const { tab } = useParams();
  const may = useMay(project);
  const { deployment, version: name } = version;
  const on = { deployment };
  const all = `/projects/${project}/deployments`;
  const at = { project, deployment, version: name };
  const tabs: (RoutedTab | false)[] = [
    may("instances.list", on) && {
      value: "instances",
      label: "Instances",
      content: () => <Instances project={project} version={version} />,
    },
    may("deployments.versions.update", on) && {
      value: "settings",
      label: "Settings",
      content: () => <Settings project={project} version={version} />,
    },
    {
      value: "variables",
      label: "Variables",
      content: () => <Variables level="version" path={at} changeable={may("deployments.versions.update", on)} />,
    },
    may("deployments.versions.delete", on) && {
      value: "danger",
      label: "Danger zone",
      content: () => <Remove project={project} version={version} />,
    },
  ];
  return (
    <>
      <PageHead
        title={name}
        beside={
          <>
            {version.default && <Badge>default</Badge>}
            <Standing project={project} deployment={deployment} version={name} />
          </>
        }
        path={[
          { label: "Deployments", href: all },
          { label: deployment, href: `${all}/${deployment}` },
        ]}
      >
        {may("deployments.update", on) && !version.default && <MakeDefault project={project} version={version} />}
      </PageHead>
      <Group mb="md" gap="xs">
        <Labels labels={version.labels} />
        {version.description && (
          <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {version.description}
          </Text>
        )}
      </Group>
      <RoutedTabs
        label={`Of version ${name}`}
        base={`${all}/${deployment}/versions/${name}`}
        open={tab}
        tabs={tabs.filter((each) => each !== false)}
      />
    </>
  );
}

function MakeDefault({ project, version }: { project: string; version: VersionDetail }) {
  const [asking, setAsking] = useState(false);
  const deployment = useAsk("GET /projects/{project}/deployments/{deployment}", {
    path: { project, deployment: version.deployment },
  });
  return (
    <>
      <Unread of={[deployment]} title="Its deployment could not be read" />
      <Button variant="default" onClick={() => setAsking(true)} disabled={deployment.data === undefined}>
        Make it the default
      </Button>
      {asking && deployment.data && (
        <DefaultSwitch
          project={project}
          deployment={deployment.data}
          to={version.version}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

function Remove({ project, version: { deployment, version } }: { project: string; version: VersionDetail }) {
  const [, go] = useLocation();
  const remove = useChange(`DELETE ${ONE}`, {
    quiet: true,
    done: `${version} is deleted`,
    after: () => go(`/projects/${project}/deployments/${deployment}`),
  });
  return (
    <RemoveSection
      noun="version"
      name={version}
      consequence="Its instances and variables go with it. A version that a service or a rollout needs cannot be deleted."
      working={remove.isPending}
      problem={remove.error}
      onConfirm={() => remove.mutate({ path: { project, deployment, version } })}
    />
  );
}

/** One deployment: its versions, the services that stand on it, its variables, who changed what. */
import { Button, Group, Text } from "@mantine/core";
import { Pencil } from "lucide-react";
import { useState } from "react";
import { useLocation, useParams } from "wouter";
import { useAsk, useChange } from "@/api/queries";
import type { DeploymentDetail } from "@/api/schema";
import { Labels } from "@/components/Labels";
import { Loaded } from "@/components/Loaded";
import { PageHead } from "@/components/PageHead";
import { RemoveSection } from "@/components/RemoveSection";
import { type RoutedTab, RoutedTabs } from "@/components/RoutedTabs";
import { useMay } from "@/session/session";
import { AuditTrail } from "../project/audit/AuditTrail";
import { Variables } from "../project/variables/Variables";
import { DeploymentDialog } from "./DeploymentDialog";
import { Services } from "./Services";
import { Versions } from "./Versions";

const ONE = "/projects/{project}/deployments/{deployment}";

export default function DeploymentPage() {
  const { project = "", deployment: name = "" } = useParams();
  const deployment = useAsk(`GET ${ONE}`, { path: { project, deployment: name } });
  return (
    <Loaded of={deployment} title={`${name} could not be shown`} lines={6}>
      {(found) => <Found project={project} deployment={found} />}
    </Loaded>
  );
}

function Found({ project, deployment }: { project: string; deployment: DeploymentDetail }) {
  const { tab } = useParams();
  const [, go] = useLocation();
  const [editing, setEditing] = useState(false);
  const may = useMay(project);
  const on = { deployment: deployment.name };
  const all = `/projects/${project}/deployments`;
  const at = { project, deployment: deployment.name };
  const tabs: (RoutedTab | false)[] = [
    {
      value: "versions",
      label: "Versions",
      content: () => <Versions project={project} deployment={deployment} />,
    },
    may("services.list") && {
      value: "services",
      label: "Services",
      content: () => <Services project={project} deployment={deployment} />,
    },
    {
      value: "variables",
      label: "Variables",
      content: () => <Variables level="deployment" path={at} changeable={may("deployments.update", on)} />,
    },
    may("audit.list", on) && { value: "audit", label: "Audit trail", content: () => <AuditTrail path={at} /> },
    may("deployments.delete", on) && {
      value: "danger",
      label: "Danger zone",
      content: () => <Remove project={project} deployment={deployment} />,
    },
  ];
  return (
    <>
      <PageHead title={deployment.name} path={[{ label: "Deployments", href: all }]}>
        {may("deployments.update", on) && (
          <Button variant="default" leftSection={<Pencil size={16} />} onClick={() => setEditing(true)}>
            Edit
          </Button>
        )}
      </PageHead>
      <Group mb="md" gap="xs">
        <Labels labels={deployment.labels} />
        {deployment.description && (
          <Text size="sm" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {deployment.description}
          </Text>
        )}
      </Group>
      <RoutedTabs
        label={`Of ${deployment.name}`}
        base={`${all}/${deployment.name}`}
        open={tab}
        tabs={tabs.filter((each) => each !== false)}
      />
      {editing && (
        <DeploymentDialog
          project={project}
          deployment={deployment}
          onClose={() => setEditing(false)}
          onSaved={(saved) => saved.name !== deployment.name && go(`${all}/${saved.name}`, { replace: true })}
        />
      )}
    </>
  );
}

function Remove({ project, deployment: { name } }: { project: string; deployment: DeploymentDetail }) {
  const [, go] = useLocation();
  const remove = useChange(`DELETE ${ONE}`, {
    quiet: true,
    done: `${name} is deleted`,
    after: () => go(`/projects/${project}/deployments`),
  });
  return (
    <RemoveSection
      noun="deployment"
      name={name}
      consequence="Its versions, instances and variables go with it. Services that stand on it have to be deleted first."
      working={remove.isPending}
      problem={remove.error}
      onConfirm={() => remove.mutate({ path: { project, deployment: name } })}
    />
  );
}

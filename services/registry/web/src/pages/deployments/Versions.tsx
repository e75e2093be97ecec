/** The versions of a deployment; one of them is the default, which services follow that name none. */
import { Anchor, Badge, Button, Group, Stack, Table, Text } from "@mantine/core";
import { Plus } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { useAsk } from "@/api/queries";
import type { DeploymentDetail, VersionDetail } from "@/api/schema";
import { Ago } from "@/components/Ago";
import { Empty } from "@/components/Empty";
import { Labels } from "@/components/Labels";
import { Loaded } from "@/components/Loaded";
import { useMay } from "@/session/session";
import { DefaultSwitch } from "./DefaultSwitch";
import { Standing } from "./Standing";
import { VersionDialog } from "./version/VersionDialog";

interface Props {
  project: string;
  deployment: DeploymentDetail;
}

export function Versions({ project, deployment }: Props) {
  const may = useMay(project);
  const on = { deployment: deployment.name };
  const [creating, setCreating] = useState(false);
  const [switching, setSwitching] = useState<string | null>(null);
  const versions = useAsk("GET /projects/{project}/deployments/{deployment}/versions", {
    path: { project, deployment: deployment.name },
  });
  const create = may("deployments.versions.create", on) && (
    <Button leftSection={<Plus size={16} />} onClick={() => setCreating(true)}>
      Create version
    </Button>
  );
  return (
    <Stack gap="sm">
      <Group justify="flex-end">{versions.data?.length !== 0 && create}</Group>
      <Loaded of={versions} title="The versions could not be shown">
        {(found) =>
          found.length === 0 ? (
            <Empty title="No versions yet" action={create}>
              Instances belong to a version. The first one becomes the default.
            </Empty>
          ) : (
            <List
              project={project}
              versions={newestFirst(found)}
              onSwitch={may("deployments.update", on) ? setSwitching : undefined}
            />
          )
        }
      </Loaded>
      {creating && <VersionDialog project={project} deployment={deployment.name} onClose={() => setCreating(false)} />}
      {switching !== null && (
        <DefaultSwitch project={project} deployment={deployment} to={switching} onClose={() => setSwitching(null)} />
      )}
    </Stack>
  );
}

interface ListProps {
  project: string;
  versions: VersionDetail[];
  onSwitch?: (version: string) => void;
}

function List({ project, versions, onSwitch }: ListProps) {
  return (
    <Table.ScrollContainer minWidth={300}>
      <Table aria-label="Versions">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Version</Table.Th>
            <Table.Th>Instances</Table.Th>
            <Table.Th visibleFrom="sm">Description</Table.Th>
            <Table.Th visibleFrom="md">Made</Table.Th>
            {onSwitch && <Table.Th aria-label="Actions" />}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {versions.map((version) => (
            <Table.Tr key={version.id}>
              <Table.Td>
                <Group gap="xs" wrap="nowrap">
                  <Anchor
                    component={Link}
                    href={`/projects/${project}/deployments/${version.deployment}/versions/${version.version}`}
                    size="sm"
                    fw={600}
                  >
                    {version.version}
                  </Anchor>
                  {version.default && <Badge>default</Badge>}
                </Group>
              </Table.Td>
              <Table.Td>
                <Standing project={project} deployment={version.deployment} version={version.version} />
              </Table.Td>
              <Table.Td maw={320} visibleFrom="sm">
                <Text size="sm" truncate title={version.description}>
                  {version.description}
                </Text>
                <Labels labels={version.labels} />
              </Table.Td>
              <Table.Td visibleFrom="md">
                <Ago time={version.creation_date} />
              </Table.Td>
              {onSwitch && (
                <Table.Td ta="right">
                  {!version.default && (
                    <Button
                      variant="default"
                      size="compact-sm"
                      aria-label={`Make default: ${version.version}`}
                      onClick={() => onSwitch(version.version)}
                    >
                      Make default
                    </Button>
                  )}
                </Table.Td>
              )}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function newestFirst(versions: VersionDetail[]): VersionDetail[] {
  return [...versions].sort((one, other) => (one.creation_date < other.creation_date ? 1 : -1));
}

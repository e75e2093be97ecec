/** The services that stand on a deployment, and on which of its versions. */
import { Anchor, Table, Text } from "@mantine/core";
import { Link } from "wouter";
import type { DeploymentDetail } from "@/api/schema";
import { Empty } from "@/components/Empty";
import { Ready } from "@/components/Live";
import { Loaded } from "@/components/Loaded";
import { useLive } from "@/live/services";
import { useServicesOn } from "./useServicesOn";

export function Services({ project, deployment }: { project: string; deployment: DeploymentDetail }) {
  const services = useServicesOn(project, deployment.name);
  const live = useLive();
  return (
    <Loaded of={services} title="The services could not be shown">
      {(found) =>
        found.length === 0 ? (
          <Empty title="No service stands on it">Nobody can call it yet: make a service under Services.</Empty>
        ) : (
          <Table.ScrollContainer minWidth={360}>
            <Table aria-label="Services on this deployment">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Service</Table.Th>
                  <Table.Th>Version</Table.Th>
                  <Table.Th>Instances</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {found.map(({ id, name, version }) => (
                  <Table.Tr key={id}>
                    <Table.Td>
                      <Anchor component={Link} href={`/projects/${project}/services/${name}`} size="sm" fw={600}>
                        {name}
                      </Anchor>
                    </Table.Td>
                    <Table.Td>
                      {version ?? (
                        <Text size="sm" c="dimmed">
                          the default one
                        </Text>
                      )}
                    </Table.Td>
                    <Table.Td>
                      <Ready live={live.services.get(id)} />
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )
      }
    </Loaded>
  );
}

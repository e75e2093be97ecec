/** Who has a role on this very service. Roles on the project or the deployment count besides. */
import { ActionIcon, Button, Group, Select, Table, Text } from "@mantine/core";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useAsk, useChange } from "@/api/queries";
import { Loaded } from "@/components/Loaded";
import { Section } from "@/components/Section";
import { Unread } from "@/components/Unread";
import { useMay } from "@/session/session";
import type { TabProps } from "../tabs";
import { type Assignee, useAssignees } from "./useAssignees";

export function Holders({ project, service }: TabProps) {
  const may = useMay(project);
  const { assignees, asked } = useAssignees(project);
  const assignments = useAsk("GET /projects/{project}/role-assignments", {
    path: { project },
    query: { resource: service.name, resource_type: "service" },
  });
  const revoke = useChange("DELETE /projects/{project}/role-assignments/{assignment}", {
    done: "The role is taken back, everywhere",
    failed: "The role was not taken back",
  });
  return (
    <Section
      title="Roles on this service"
      says="To call it, somebody needs a role here, on its deployment, or in the project. Taking one back ends their connections."
    >
      <Unread of={asked} title="The members could not be read" />
      {may("roles.assignments.create") && <Give project={project} service={service} assignees={assignees} />}
      <Loaded of={assignments} title="The roles could not be shown">
        {(found) =>
          found.length === 0 ? (
            <Text size="sm" c="dimmed">
              Nobody has a role on this service alone.
            </Text>
          ) : (
            <Table.ScrollContainer minWidth={320}>
              <Table>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Who</Table.Th>
                    <Table.Th>Role</Table.Th>
                    <Table.Th w={60} aria-label="Actions" />
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {found.map(({ id, assignee, role }) => (
                    <Table.Tr key={id}>
                      <Table.Td>{assignees.find((each) => each.id === assignee)?.label ?? assignee}</Table.Td>
                      <Table.Td>{role}</Table.Td>
                      <Table.Td>
                        {may("roles.assignments.delete") && (
                          <ActionIcon
                            variant="subtle"
                            color="red"
                            aria-label={`Take back ${role}`}
                            loading={revoke.isPending && revoke.variables?.path?.assignment === id}
                            onClick={() => revoke.mutate({ path: { project, assignment: id } })}
                          >
                            <Trash2 size={16} />
                          </ActionIcon>
                        )}
                      </Table.Td>
                    </Table.Tr>
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
          )
        }
      </Loaded>
    </Section>
  );
}

function Give({ project, service, assignees }: TabProps & { assignees: Assignee[] }) {
  const [who, setWho] = useState<string | null>(null);
  const [role, setRole] = useState<string | null>("service-request-user");
  const roles = useAsk("GET /projects/{project}/roles", { path: { project } });
  const give = useChange("POST /projects/{project}/role-assignments", {
    done: "The role is given",
    failed: "The role was not given",
    after: () => setWho(null),
  });
  const chosen = assignees.find(({ id }) => id === who);
  return (
    <Group gap="xs" mb="sm" align="flex-end">
      <Unread of={[roles]} title="The roles could not be read" />
      <Select
        label="Who"
        placeholder="Somebody of this project"
        searchable
        data={assignees.map(({ id, label }) => ({ value: id, label }))}
        value={who}
        onChange={setWho}
        w={{ base: "100%", xs: 260 }}
      />
      <Select
        label="Role"
        searchable
        allowDeselect={false}
        data={roles.data?.map(({ name }) => name) ?? (role ? [role] : [])}
        value={role}
        onChange={setRole}
        w={{ base: "100%", xs: 220 }}
      />
      <Button
        disabled={!chosen || !role}
        loading={give.isPending}
        onClick={() =>
          chosen &&
          role &&
          give.mutate({
            path: { project },
            body: {
              role,
              assignee: chosen.id,
              resource: service.name,
              resource_type: "service",
            },
          })
        }
      >
        Give
      </Button>
    </Group>
  );
}

/** Who has which role on what. */
import { ActionIcon, Button, Table, Text } from "@mantine/core";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useAsk, useChange } from "@/api/queries";
import type { RoleAssignmentDetail } from "@/api/schema";
import { Confirm } from "@/components/Confirm";
import { Loaded } from "@/components/Loaded";
import { Section } from "@/components/Section";
import { Unread } from "@/components/Unread";
import { useMay } from "@/session/session";
import { useAssignees } from "../../service/access/useAssignees";
import { GiveDialog } from "./GiveDialog";

export function Assignments({ project }: { project: string }) {
  const may = useMay(project);
  const { assignees, asked } = useAssignees(project);
  const assignments = useAsk("GET /projects/{project}/role-assignments", { path: { project } });
  const [giving, setGiving] = useState(false);
  const [taken, take] = useState<RoleAssignmentDetail | null>(null);
  const revoke = useChange("DELETE /projects/{project}/role-assignments/{assignment}", {
    quiet: true,
    done: "The role is taken back, everywhere",
    after: () => take(null),
  });
  const nameOf = (id: string) => assignees.find((each) => each.id === id)?.label ?? id;
  return (
    <Section
      title="Roles given"
      says="A role holds on the whole project, or on one deployment or service."
      action={
        may("roles.assignments.create") && (
          <Button variant="default" leftSection={<Plus size={16} />} onClick={() => setGiving(true)}>
            Give a role
          </Button>
        )
      }
    >
      <Unread of={asked} title="Some names could not be read" />
      <Loaded of={assignments} title="The roles could not be shown">
        {(found) =>
          found.length === 0 ? (
            <Text size="sm" c="dimmed">
              Nobody has a role here.
            </Text>
          ) : (
            <Table.ScrollContainer minWidth={420}>
              <Table aria-label="Roles given" layout="fixed">
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Who</Table.Th>
                    <Table.Th>Role</Table.Th>
                    <Table.Th>On</Table.Th>
                    <Table.Th w={60} aria-label="Actions" />
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {found.map((assignment) => (
                    <Table.Tr key={assignment.id}>
                      <Table.Td style={{ overflowWrap: "anywhere" }}>{nameOf(assignment.assignee)}</Table.Td>
                      <Table.Td>{assignment.role}</Table.Td>
                      <Table.Td>
                        {assignment.resource_type === "project"
                          ? "the project"
                          : `${assignment.resource_type} ${assignment.resource}`}
                      </Table.Td>
                      <Table.Td>
                        {may("roles.assignments.delete") && (
                          <ActionIcon
                            variant="subtle"
                            color="red"
                            aria-label={`Take back ${assignment.role} from ${nameOf(assignment.assignee)}`}
                            onClick={() => take(assignment)}
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
      {giving && <GiveDialog project={project} assignees={assignees} onClose={() => setGiving(false)} />}
      <Confirm
        opened={taken !== null}
        title={`Take back ${taken?.role}?`}
        action="Take back"
        color="red"
        working={revoke.isPending}
        problem={revoke.error}
        onConfirm={() => taken && revoke.mutate({ path: { project, assignment: taken.id } })}
        onClose={() => take(null)}
      >
        {taken && nameOf(taken.assignee)} loses what only this role allows, at all routers too.
      </Confirm>
    </Section>
  );
}

/** The people of a project: who comes, who goes. */
import { ActionIcon, Badge, Button, Group, Table, Text } from "@mantine/core";
import { UserMinus, UserPlus } from "lucide-react";
import { useState } from "react";
import { useAsk, useChange } from "@/api/queries";
import type { ProjectUserDetail } from "@/api/schema";
import { ConfirmByName } from "@/components/ConfirmByName";
import { Empty } from "@/components/Empty";
import { Loaded } from "@/components/Loaded";
import { Section } from "@/components/Section";
import { useMay, useSession } from "@/session/session";
import { AddDialog } from "./AddDialog";

export function People({ project }: { project: string }) {
  const may = useMay(project);
  const people = useAsk("GET /projects/{project}/users", { path: { project } });
  const [adding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<ProjectUserDetail | null>(null);
  const remove = useChange("DELETE /projects/{project}/users/{user}", {
    quiet: true,
    done: `${leaving?.email} is no member any more`,
    after: () => setLeaving(null),
  });
  return (
    <Section
      title="People"
      says="Who is a member sees that the project is there; what they may do is up to their roles."
      action={
        may("projects.users.create") && (
          <Button leftSection={<UserPlus size={16} />} onClick={() => setAdding(true)}>
            Add somebody
          </Button>
        )
      }
    >
      <Loaded of={people} title="The members could not be shown">
        {(found) =>
          found.length === 0 ? (
            <Empty title="Nobody is a member">Administrators see the project all the same.</Empty>
          ) : (
            <List people={found} onRemove={may("projects.users.delete") ? setLeaving : undefined} />
          )
        }
      </Loaded>
      {adding && <AddDialog project={project} onClose={() => setAdding(false)} />}
      {leaving && (
        <ConfirmByName
          opened
          title={`Remove ${leaving.email}?`}
          name={leaving.email}
          action="Remove from the project"
          consequence="All their roles in this project are taken back, and their connections to its services end."
          working={remove.isPending}
          problem={remove.error}
          onConfirm={() => remove.mutate({ path: { project, user: leaving.id } })}
          onClose={() => setLeaving(null)}
        />
      )}
    </Section>
  );
}

interface ListProps {
  people: ProjectUserDetail[];
  onRemove?: (person: ProjectUserDetail) => void;
}

function List({ people, onRemove }: ListProps) {
  const { user } = useSession();
  return (
    <Table aria-label="People">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>E-mail</Table.Th>
          <Table.Th visibleFrom="sm">Name</Table.Th>
          {onRemove && <Table.Th w={60} aria-label="Actions" />}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {people.map((person) => (
          <Table.Tr key={person.id}>
            <Table.Td style={{ overflowWrap: "anywhere" }}>
              <Group gap="xs">
                <Text size="sm">{person.email}</Text>
                {person.id === user.id && <Badge color="gray">you</Badge>}
              </Group>
            </Table.Td>
            <Table.Td visibleFrom="sm" style={{ overflowWrap: "anywhere" }}>
              {[person.name, person.surname].filter(Boolean).join(" ")}
            </Table.Td>
            {onRemove && (
              <Table.Td>
                <ActionIcon
                  variant="subtle"
                  color="red"
                  aria-label={`Remove ${person.email}`}
                  onClick={() => onRemove(person)}
                >
                  <UserMinus size={16} />
                </ActionIcon>
              </Table.Td>
            )}
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

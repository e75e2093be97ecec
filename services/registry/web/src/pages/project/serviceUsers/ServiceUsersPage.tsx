/** Service users: programs that call services or the API, each with a token and roles of its own. */
import { ActionIcon, Badge, Button, Group, Menu, Stack, Table, Text } from "@mantine/core";
import { EllipsisVertical, KeyRound, Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useParams } from "wouter";
import { useAsk } from "@/api/queries";
import type { ServiceUserDetail } from "@/api/schema";
import { Ago } from "@/components/Ago";
import { Empty } from "@/components/Empty";
import { Ends } from "@/components/Ends";
import { Loaded } from "@/components/Loaded";
import { PageHead } from "@/components/PageHead";
import { Unread } from "@/components/Unread";
import { useMay } from "@/session/session";
import { Remove } from "./Remove";
import { ServiceUserDialog } from "./ServiceUserDialog";
import { TokenDialog } from "./TokenDialog";

type Doing = { what: "create" } | { what: "edit" | "token" | "delete"; user: ServiceUserDetail };

export default function ServiceUsersPage() {
  const { project = "" } = useParams();
  const may = useMay(project);
  const [doing, setDoing] = useState<Doing | null>(null);
  const users = useAsk("GET /projects/{project}/service-users", { path: { project } });
  const close = () => setDoing(null);
  const create = may("service_users.create") && (
    <Button leftSection={<Plus size={16} />} onClick={() => setDoing({ what: "create" })}>
      Create service user
    </Button>
  );
  return (
    <>
      <PageHead title="Service users">{create}</PageHead>
      <Text size="sm" c="dimmed" mb="md">
        Programs that call services or this API. What each may do is up to its roles; its token is shown once.
      </Text>
      <Loaded of={users} title="The service users could not be shown">
        {(found) =>
          found.length === 0 ? (
            <Empty title="No service users yet" action={create}>
              A program should have a token of its own, which can be taken back alone.
            </Empty>
          ) : (
            <List project={project} users={found} onDo={setDoing} />
          )
        }
      </Loaded>
      {doing?.what === "create" && <ServiceUserDialog project={project} user={null} onClose={close} />}
      {doing?.what === "edit" && <ServiceUserDialog project={project} user={doing.user} onClose={close} />}
      {doing?.what === "token" && <TokenDialog project={project} user={doing.user} onClose={close} />}
      {doing?.what === "delete" && <Remove project={project} user={doing.user} onClose={close} />}
    </>
  );
}

interface ListProps {
  project: string;
  users: ServiceUserDetail[];
  onDo: (doing: Doing) => void;
}

function List({ project, users, onDo }: ListProps) {
  const { roles, asked } = useRoles(project);
  return (
    <>
      <Unread of={[asked]} title="Their roles could not be read" />
      <Table.ScrollContainer minWidth={300}>
        <Table aria-label="Service users">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Name</Table.Th>
              <Table.Th>Roles</Table.Th>
              <Table.Th visibleFrom="sm">Ends</Table.Th>
              <Table.Th visibleFrom="md">Last used for the API</Table.Th>
              <Table.Th w={60} aria-label="Actions" />
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {users.map((user) => (
              <Table.Tr key={user.id}>
                <Table.Td maw={320} style={{ overflowWrap: "anywhere" }}>
                  <Stack gap={0}>
                    <Text size="sm" fw={600}>
                      {user.name ?? user.email}
                    </Text>
                    <Text size="xs" c="dimmed">
                      {user.description}
                    </Text>
                  </Stack>
                </Table.Td>
                <Table.Td>
                  <Group gap={4}>
                    {(roles.get(user.id) ?? []).map((role) => (
                      <Badge key={role} color="gray">
                        {role}
                      </Badge>
                    ))}
                  </Group>
                </Table.Td>
                <Table.Td visibleFrom="sm">
                  <Ends at={user.expiry_date} />
                </Table.Td>
                <Table.Td visibleFrom="md">
                  {user.token_last_used ? <Ago time={user.token_last_used} /> : "never"}
                </Table.Td>
                <Table.Td>
                  <Actions project={project} user={user} onDo={onDo} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}

function Actions({ project, user, onDo }: { project: string; user: ServiceUserDetail; onDo: (doing: Doing) => void }) {
  const may = useMay(project);
  if (!may("service_users.update") && !may("service_users.delete")) return null;
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" aria-label={`Actions for ${user.name ?? user.email}`}>
          <EllipsisVertical size={16} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {may("service_users.update") && (
          <>
            <Menu.Item leftSection={<Pencil size={16} />} onClick={() => onDo({ what: "edit", user })}>
              Edit
            </Menu.Item>
            <Menu.Item leftSection={<KeyRound size={16} />} onClick={() => onDo({ what: "token", user })}>
              New token
            </Menu.Item>
          </>
        )}
        {may("service_users.delete") && (
          <Menu.Item color="red" leftSection={<Trash2 size={16} />} onClick={() => onDo({ what: "delete", user })}>
            Delete
          </Menu.Item>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Everybody's roles, as texts. */
function useRoles(project: string) {
  const may = useMay(project);
  const asked = useAsk(
    "GET /projects/{project}/role-assignments",
    { path: { project } },
    { enabled: may("roles.assignments.list") },
  );
  const roles = new Map<string, string[]>();
  for (const { assignee, role, resource, resource_type: type } of asked.data ?? []) {
    const text = type === "project" ? role : `${role} on ${resource}`;
    roles.set(assignee, [...(roles.get(assignee) ?? []), text]);
  }
  return { roles, asked };
}

/** The roles of a project: those that every project has, and its own. */
import { Anchor, Badge, Button, Drawer, Group, Stack, Table, Text } from "@mantine/core";
import { Plus } from "lucide-react";
import { useState } from "react";
import { useLocation, useParams } from "wouter";
import { useAsk, useChange } from "@/api/queries";
import type { RoleBrief, RoleDetail } from "@/api/schema";
import { ConfirmByName } from "@/components/ConfirmByName";
import { Loaded } from "@/components/Loaded";
import { PageHead } from "@/components/PageHead";
import { Unread } from "@/components/Unread";
import { useMay } from "@/session/session";
import { Matrix } from "./Matrix";
import { RoleDialog } from "./RoleDialog";

export default function RolesPage() {
  const { project = "", role } = useParams();
  const [, go] = useLocation();
  const may = useMay(project);
  const here = `/projects/${project}/roles`;
  const [creating, setCreating] = useState(false);
  const roles = useAsk("GET /projects/{project}/roles", { path: { project } });
  return (
    <>
      <PageHead title="Roles">
        {may("roles.create") && (
          <Button leftSection={<Plus size={16} />} onClick={() => setCreating(true)}>
            Create role
          </Button>
        )}
      </PageHead>
      <Text size="sm" c="dimmed" mb="md">
        A role is a set of permissions. Nobody can give what they do not have themselves.
      </Text>
      <Loaded of={roles} title="The roles could not be shown">
        {(found) => <List roles={found} onOpen={({ name }) => go(`${here}/${name}`)} />}
      </Loaded>
      <Drawer opened={role !== undefined} onClose={() => go(here)} size="xl" title={role}>
        {role !== undefined && <Opened project={project} name={role} onGone={() => go(here)} />}
      </Drawer>
      {creating && <RoleDialog project={project} edited={null} onClose={() => setCreating(false)} />}
    </>
  );
}

function List({ roles, onOpen }: { roles: RoleBrief[]; onOpen: (role: RoleBrief) => void }) {
  return (
    <Table aria-label="Roles">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Role</Table.Th>
          <Table.Th>Kind</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {roles.map((role) => (
          <Table.Tr key={role.id}>
            <Table.Td>
              <Anchor component="button" type="button" size="sm" onClick={() => onOpen(role)}>
                {role.name}
              </Anchor>
            </Table.Td>
            <Table.Td>
              {role.default ? <Badge color="gray">in every project</Badge> : <Badge>this project's own</Badge>}
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Opened({ project, name, onGone }: { project: string; name: string; onGone: () => void }) {
  const role = useAsk("GET /projects/{project}/roles/{role}", { path: { project, role: name } });
  const permissions = useAsk("GET /permissions", {});
  return (
    <Loaded of={role} title="The role could not be shown">
      {(found) => (
        <Stack>
          {!found.default && <Own project={project} role={found} onGone={onGone} />}
          <Unread of={[permissions]} title="Those that it has not could not be read" />
          <Matrix all={permissions.data?.map(({ name }) => name) ?? found.permissions} held={found.permissions} />
        </Stack>
      )}
    </Loaded>
  );
}

function Own({ project, role, onGone }: { project: string; role: RoleDetail; onGone: () => void }) {
  const may = useMay(project);
  const [doing, setDoing] = useState<"edit" | "delete" | null>(null);
  const remove = useChange("DELETE /projects/{project}/roles/{role}", {
    quiet: true,
    done: `${role.name} is deleted`,
    after: onGone,
  });
  const close = () => setDoing(null);
  return (
    <Group>
      {may("roles.update") && (
        <Button variant="default" onClick={() => setDoing("edit")}>
          Edit
        </Button>
      )}
      {may("roles.delete") && (
        <Button color="red" variant="light" onClick={() => setDoing("delete")}>
          Delete
        </Button>
      )}
      {doing === "edit" && <RoleDialog project={project} edited={role} onClose={close} />}
      <ConfirmByName
        opened={doing === "delete"}
        title={`Delete ${role.name}?`}
        name={role.name}
        action="Delete the role"
        consequence="It is taken from everybody who has it."
        working={remove.isPending}
        problem={remove.error}
        onConfirm={() => remove.mutate({ path: { project, role: role.name } })}
        onClose={close}
      />
    </Group>
  );
}

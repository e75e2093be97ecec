/** The environment variables of a project, deployment or version; those from above are shown where they are read. */
import { ActionIcon, Badge, Button, Group, Stack, Table, Text } from "@mantine/core";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useAsk, useChange } from "@/api/queries";
import type { EnvironmentVariable } from "@/api/schema";
import { Confirm } from "@/components/Confirm";
import { Empty } from "@/components/Empty";
import { Loaded } from "@/components/Loaded";
import { type Level, operation, type Where } from "./levels";
import { VariableDialog } from "./VariableDialog";

interface Props {
  level: Level;
  path: Where;
  changeable: boolean;
}

export function Variables({ level, path, changeable }: Props) {
  const variables = useAsk(operation(level, "GET"), { path });
  const [edited, edit] = useState<EnvironmentVariable | "new" | null>(null);
  const [removed, remove] = useState<EnvironmentVariable | null>(null);
  const add = changeable && (
    <Button leftSection={<Plus size={16} />} onClick={() => edit("new")}>
      Add a variable
    </Button>
  );
  return (
    <Stack gap="sm">
      {variables.data?.length !== 0 && <Group justify="flex-end">{add}</Group>}
      <Loaded of={variables} title="The variables could not be shown">
        {(found) =>
          found.length === 0 ? (
            <Empty title="No variables" action={add}>
              Narthex keeps variables for whoever starts the instances; <code>narthex run</code> hands them on.
            </Empty>
          ) : (
            <List level={level} variables={found} onEdit={changeable ? edit : undefined} onRemove={remove} />
          )
        }
      </Loaded>
      {edited !== null && (
        <VariableDialog
          level={level}
          path={path}
          variable={edited === "new" ? null : edited}
          onClose={() => edit(null)}
        />
      )}
      {removed && <Remove level={level} path={path} variable={removed} onClose={() => remove(null)} />}
    </Stack>
  );
}

interface ListProps {
  level: Level;
  variables: EnvironmentVariable[];
  onEdit?: (variable: EnvironmentVariable) => void;
  onRemove: (variable: EnvironmentVariable) => void;
}

function List({ level, variables, onEdit, onRemove }: ListProps) {
  return (
    <Table.ScrollContainer minWidth={level === "project" ? 320 : 520}>
      <Table aria-label="Variables" layout="fixed">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Name</Table.Th>
            <Table.Th>Value</Table.Th>
            {level !== "project" && <Table.Th w={150}>From</Table.Th>}
            {onEdit && <Table.Th w={90} aria-label="Actions" />}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {variables.map((variable) => (
            <Table.Tr key={variable.id}>
              <Table.Td ff="monospace" style={{ overflowWrap: "anywhere" }}>
                {variable.name}
              </Table.Td>
              <Table.Td>
                {variable.secret ? (
                  <Badge color="gray">secret, not shown</Badge>
                ) : (
                  <Text size="sm" ff="monospace" lineClamp={3} style={{ overflowWrap: "anywhere" }}>
                    {variable.value}
                  </Text>
                )}
              </Table.Td>
              {level !== "project" && <Table.Td>{from(variable)}</Table.Td>}
              {onEdit && (
                <Table.Td>
                  {!variable.inheritance_type && (
                    <Group gap={4} wrap="nowrap" justify="flex-end">
                      <ActionIcon
                        variant="subtle"
                        color="gray"
                        aria-label={`Edit ${variable.name}`}
                        onClick={() => onEdit(variable)}
                      >
                        <Pencil size={16} />
                      </ActionIcon>
                      <ActionIcon
                        variant="subtle"
                        color="red"
                        aria-label={`Delete ${variable.name}`}
                        onClick={() => onRemove(variable)}
                      >
                        <Trash2 size={16} />
                      </ActionIcon>
                    </Group>
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

function from({ inheritance_type, inheritance_name }: EnvironmentVariable): string {
  return inheritance_type ? `${inheritance_type} ${inheritance_name ?? ""}` : "here";
}

function Remove({ level, path, variable, onClose }: Omit<Props, "changeable"> & RemoveProps) {
  const remove = useChange(operation(level, "DELETE"), {
    quiet: true,
    done: `${variable.name} is deleted`,
    after: onClose,
  });
  return (
    <Confirm
      opened
      title={`Delete ${variable.name}?`}
      action="Delete"
      color="red"
      working={remove.isPending}
      problem={remove.error}
      onConfirm={() => remove.mutate({ path: { ...path, id: variable.id } })}
      onClose={onClose}
    >
      Instances that run keep it; those that are started later do not get it.
    </Confirm>
  );
}

interface RemoveProps {
  variable: EnvironmentVariable;
  onClose: () => void;
}

/** Names that may come in by basic authentication, for programs that know no tokens. */
import { ActionIcon, Button, Group, Stack, Table, Text, TextInput } from "@mantine/core";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useAsk, useChange } from "@/api/queries";
import { Section } from "@/components/Section";
import { ShownOnce } from "@/components/ShownOnce";
import { Unread } from "@/components/Unread";
import type { TabProps } from "../tabs";

export function BasicUsers({ project, service }: TabProps) {
  const [name, setName] = useState("");
  const path = { project, service: service.name };
  const users = useAsk("GET /projects/{project}/services/{service}/basic-users", { path });
  const set = useChange("PUT /projects/{project}/services/{service}/basic-users", {
    done: "The names are as you see them",
    failed: "The names were not changed",
    after: () => setName(""),
  });
  const names = users.data?.map((user) => user.name) ?? [];
  // A null keeps the password that a name has; a new name gets one.
  const become = (wanted: string[]) =>
    set.mutate({ path, body: { users: Object.fromEntries(wanted.map((each) => [each, null])) } });
  const made = set.data?.filter(({ password }) => password !== null) ?? [];
  return (
    <Section title="Names and passwords" says="Basic authentication, for programs that know nothing else.">
      <Stack gap="sm">
        <Group gap="xs" align="flex-end">
          <TextInput
            label="Name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            autoComplete="off"
            w={{ base: "100%", xs: 220 }}
          />
          <Button
            disabled={!name || names.includes(name) || !users.data}
            loading={set.isPending}
            onClick={() => become([...names, name])}
          >
            Add
          </Button>
        </Group>
        {made.map((user) => (
          <ShownOnce key={user.name} value={user.password ?? ""} label={`password of ${user.name}`} />
        ))}
        <Unread of={[users]} title="The names could not be read" />
        {names.length === 0 ? (
          users.data && (
            <Text size="sm" c="dimmed">
              There are none.
            </Text>
          )
        ) : (
          <Table>
            <Table.Tbody>
              {names.map((each) => (
                <Table.Tr key={each}>
                  <Table.Td>{each}</Table.Td>
                  <Table.Td w={50}>
                    <ActionIcon
                      variant="subtle"
                      color="red"
                      aria-label={`Remove ${each}`}
                      onClick={() => become(names.filter((other) => other !== each))}
                    >
                      <Trash2 size={16} />
                    </ActionIcon>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        )}
      </Stack>
    </Section>
  );
}

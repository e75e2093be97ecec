/** One's own tokens, for programs and the command line. A new one is shown once. */
import { ActionIcon, Button, Group, Select, Stack, Table, Text, TextInput } from "@mantine/core";
import { Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useAsk, useChange } from "@/api/queries";
import type { TokenDetail } from "@/api/schema";
import { Ago } from "@/components/Ago";
import { Confirm } from "@/components/Confirm";
import { Ends } from "@/components/Ends";
import { Loaded } from "@/components/Loaded";
import { endOf, FOR_EVER, LENGTHS } from "@/components/lengths";
import { Section } from "@/components/Section";
import { ShownOnce } from "@/components/ShownOnce";

export function Tokens() {
  const tokens = useAsk("GET /user/tokens", {});
  const [revoked, setRevoked] = useState<TokenDetail | null>(null);
  const revoke = useChange("DELETE /user/tokens/{token}", {
    quiet: true,
    done: "The token is revoked, at all routers too",
    after: () => setRevoked(null),
  });
  return (
    <Section
      title="Tokens"
      says="What programs and the command line say who they are with. A token can do what you can."
    >
      <Stack gap="sm">
        <Make />
        <Loaded of={tokens} title="The tokens could not be shown">
          {(found) => (
            <Table.ScrollContainer minWidth={480}>
              <Table>
                <Table.Thead>
                  <Table.Tr>
                    <Table.Th>Name</Table.Th>
                    <Table.Th>Made</Table.Th>
                    <Table.Th>Ends</Table.Th>
                    <Table.Th>Last used for the API</Table.Th>
                    <Table.Th w={60} aria-label="Actions" />
                  </Table.Tr>
                </Table.Thead>
                <Table.Tbody>
                  {found.map((token) => (
                    <Row key={token.id} token={token} onRevoke={() => setRevoked(token)} />
                  ))}
                </Table.Tbody>
              </Table>
            </Table.ScrollContainer>
          )}
        </Loaded>
      </Stack>
      <Confirm
        opened={revoked !== null}
        title={`Revoke ${revoked?.name || "this token"}?`}
        action="Revoke"
        color="red"
        working={revoke.isPending}
        problem={revoke.error}
        onConfirm={() => revoked && revoke.mutate({ path: { token: revoked.id } })}
        onClose={() => setRevoked(null)}
      >
        Whoever uses it is refused from now on, on connections that are open too. It cannot be brought back.
      </Confirm>
    </Section>
  );
}

function Row({ token, onRevoke }: { token: TokenDetail; onRevoke: () => void }) {
  return (
    <Table.Tr>
      <Table.Td style={{ overflowWrap: "anywhere" }}>{token.name || <Text size="sm">without a name</Text>}</Table.Td>
      <Table.Td>
        <Ago time={token.creation_date} />
      </Table.Td>
      <Table.Td>
        <Ends at={token.expiry_date} />
      </Table.Td>
      <Table.Td>{token.token_last_used ? <Ago time={token.token_last_used} /> : "never"}</Table.Td>
      <Table.Td>
        <ActionIcon variant="subtle" color="red" aria-label={`Revoke ${token.name || "the token"}`} onClick={onRevoke}>
          <Trash2 size={16} />
        </ActionIcon>
      </Table.Td>
    </Table.Tr>
  );
}

function Make() {
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const make = useChange("POST /user/tokens", { failed: "No token was made", after: () => setName("") });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    make.mutate({ body: { name, expiry_date: endOf(days) } });
  };
  return (
    <form onSubmit={submit}>
      <Group gap="xs" align="flex-end" mb={make.data ? "sm" : 0}>
        <TextInput
          label="Name"
          placeholder="What it is for"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          autoComplete="off"
          w={{ base: "100%", xs: 260 }}
        />
        <Select
          label="Works for"
          data={[...LENGTHS, FOR_EVER]}
          value={days}
          onChange={(value) => setDays(value ?? "")}
          allowDeselect={false}
          w={130}
        />
        <Button type="submit" disabled={!name.trim()} loading={make.isPending}>
          Make a token
        </Button>
      </Group>
      {make.data && <ShownOnce value={make.data.token} />}
    </form>
  );
}

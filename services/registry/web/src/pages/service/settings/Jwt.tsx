/** Whose JSON Web Tokens are a way in, which of them, and which roles their claims stand for. */
import { Select, SimpleGrid, TextInput } from "@mantine/core";
import { useAsk } from "@/api/queries";
import { Unread } from "@/components/Unread";
import { Claims } from "./Claims";
import { Door } from "./Door";
import { jwtOf } from "./doors";
import type { SettingsForm } from "./FieldInput";

const SHOWN = [
  { name: "issuer", label: "Issuer", says: "The claim iss, exactly; its OpenID Connect discovery is below it" },
  { name: "audience", label: "Audience", says: "One of the claim aud" },
  { name: "keys_url", label: "Keys", says: "The JSON Web Key Set; empty: found by discovery" },
  { name: "user_claim", label: "Caller's name", says: "The claim that names the caller, in logs and for limits" },
];

interface Props {
  project: string;
  stored: Record<string, unknown> | null;
  form: SettingsForm;
}

export function Jwt({ project, stored, form }: Props) {
  const value = form.values.jwt;
  const roles = useAsk("GET /projects/{project}/roles", { path: { project } }, { enabled: value !== null });
  return (
    <Door
      title="JSON Web Tokens"
      says="Tokens that an issuer of OpenID Connect signs, beside those of Narthex."
      form={form}
      field="jwt"
      opened={jwtOf(stored ?? {})}
    >
      <SimpleGrid cols={{ base: 1, md: 2 }} verticalSpacing="sm">
        {SHOWN.map(({ name, label, says }) => (
          <TextInput
            key={name}
            label={label}
            description={says}
            autoComplete="off"
            {...form.getInputProps(`jwt.${name}`)}
          />
        ))}
      </SimpleGrid>
      <Claims
        title="Claims that must be there"
        says="Each of them must have one of its values. None: every token of the issuer for this audience is good."
        list="jwt.required_claims"
        count={value?.required_claims.length ?? 0}
        empty={{ claim: "", values: [] }}
        add="Ask for a claim"
        form={form}
      />
      <Claims
        title="Roles by claims"
        says="With any of them, a caller needs a role that permits to call; the application is told all that they come with, in x-narthex-roles."
        list="jwt.roles"
        count={value?.roles.length ?? 0}
        empty={{ role: "", claim: "", values: [] }}
        add="Give a role for a claim"
        form={form}
        before={(place, label) => (
          <Select
            aria-label={`${label}: role`}
            placeholder="Role"
            searchable
            data={roles.data?.map(({ name }) => name) ?? []}
            w={{ base: "100%", xs: 210 }}
            {...form.getInputProps(`${place}.role`)}
            value={(form.getInputProps(`${place}.role`).value as string) || null}
          />
        )}
      />
      <Unread of={[roles]} title="The roles of this project could not be read" />
    </Door>
  );
}

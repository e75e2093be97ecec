/** Whose JSON Web Tokens are a way in. */
import { Stack, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ServiceDetail } from "@/api/schema";
import type { SettingsForm } from "./FieldInput";

type Value = ServiceDetail["jwt"];

const SHOWN = [
  { name: "issuer", label: "Issuer", says: "Where its OpenID Connect discovery is" },
  { name: "audience", label: "Audience", says: "Which the tokens are made for" },
  { name: "keys_url", label: "Keys", says: "The JSON Web Key Set; empty: by discovery" },
  { name: "user_claim", label: "Caller's name", says: "The claim; empty: sub" },
];

/** What this form does not show of it, like required claims, is kept as it is. */
export function Jwt({ value, form }: { value: Value; form: SettingsForm }) {
  const [on, setOn] = useState(value !== null);
  const now = (form.values.jwt as Value) ?? {};
  const set = (name: string, text: string) => {
    const { [name]: _, ...others } = now;
    form.setFieldValue("jwt", (text ? { ...others, [name]: text } : others) as never);
  };
  return (
    <Stack gap="xs">
      <Switch
        label="JSON Web Tokens of an issuer are a way in"
        checked={on}
        onChange={(event) => {
          setOn(event.currentTarget.checked);
          form.setFieldValue("jwt", (event.currentTarget.checked ? (value ?? {}) : null) as never);
        }}
        mt={6}
      />
      {on &&
        SHOWN.map(({ name, label, says }) => (
          <TextInput
            key={name}
            label={label}
            description={says}
            value={typeof now[name] === "string" ? now[name] : ""}
            onChange={(event) => set(name, event.currentTarget.value)}
            error={name === "issuer" ? form.errors.jwt : undefined}
          />
        ))}
    </Stack>
  );
}

/** Another password. All sessions end with the old one, this one too. */
import { Button, Group, PasswordInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useChange } from "@/api/queries";
import { broken, ruleOf } from "@/api/rule";
import { Problem } from "@/components/Problem";
import { Section } from "@/components/Section";
import { signedOut } from "@/session/session";

export function Password() {
  const [password, setPassword] = useState("");
  const wrong = password ? broken(ruleOf("UserUpdate", "password"), password) : null;
  const save = useChange("PATCH /user", {
    quiet: true,
    done: "The password is changed: sign in with it",
    after: signedOut,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ body: { password } });
  };
  return (
    <Section title="Password" says="With another one, all of your sessions end, this one too. Tokens go on.">
      <form onSubmit={submit}>
        <Group gap="xs" align="flex-end" mb={save.error ? "xs" : 0}>
          <PasswordInput
            label="New password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            error={wrong}
            autoComplete="new-password"
            w={{ base: "100%", xs: 300 }}
          />
          <Button type="submit" disabled={!password || wrong !== null} loading={save.isPending}>
            Change
          </Button>
        </Group>
        {save.error && <Problem of={save.error} title="Not changed" />}
      </form>
    </Section>
  );
}

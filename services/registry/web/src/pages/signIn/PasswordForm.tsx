import { Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useChange } from "@/api/queries";
import type { SessionDetail } from "@/api/schema";
import { Problem } from "@/components/Problem";

export function PasswordForm({ enter }: { enter: (session: SessionDetail) => void }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const signIn = useChange("POST /session", { quiet: true, after: enter });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate({ body: { email: email.trim(), password } });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label="E-mail address"
          type="email"
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
          autoComplete="username"
          required
          withAsterisk={false}
        />
        <PasswordInput
          label="Password"
          value={password}
          onChange={(event) => setPassword(event.currentTarget.value)}
          autoComplete="current-password"
          required
          withAsterisk={false}
        />
        {signIn.error && <Problem of={signIn.error} title="Not signed in" />}
        <Button type="submit" loading={signIn.isPending} disabled={!email || !password}>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}

import { Button, PasswordInput, Stack } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useChange } from "@/api/queries";
import type { SessionDetail } from "@/api/schema";
import { Problem } from "@/components/Problem";

/** The token goes to the registry once and is kept nowhere: the session is a cookie that no script reads. */
export function TokenForm({ enter }: { enter: (session: SessionDetail) => void }) {
  const [token, setToken] = useState("");
  const signIn = useChange("POST /session", { quiet: true, after: enter });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate({ body: { token: token.trim() } });
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <PasswordInput
          label="Token"
          description="The first administrator's is in admin.token of the data directory"
          placeholder="NX_…"
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          autoComplete="off"
          required
          withAsterisk={false}
          data-autofocus
        />
        {signIn.error && <Problem of={signIn.error} title="Not signed in" />}
        <Button type="submit" loading={signIn.isPending} disabled={!token.trim()}>
          Sign in
        </Button>
      </Stack>
    </form>
  );
}

/** Signing out everywhere, e.g. after a browser was left open somewhere. */
import { Button } from "@mantine/core";
import { useChange } from "@/api/queries";
import { Section } from "@/components/Section";
import { signedOut } from "@/session/session";

export function Sessions() {
  const end = useChange("DELETE /session", { after: signedOut, failed: "You are still signed in" });
  return (
    <Section
      title="Sessions"
      says="Ends this one and all others, in browsers that are signed in to services too."
      action={
        <Button variant="default" loading={end.isPending} onClick={() => end.mutate({ query: { everywhere: true } })}>
          Sign out everywhere
        </Button>
      }
    />
  );
}

/** The way in: a token, e-mail and password, or the provider that the installation is set up with. */
import { Alert, Button, Card, Center, Divider, Group, Stack, Tabs, Text, Title } from "@mantine/core";
import { useState } from "react";
import { useLocation } from "wouter";
import { useAsk } from "@/api/queries";
import type { SessionDetail, SessionOptions } from "@/api/schema";
import { Loaded } from "@/components/Loaded";
import { signedIn } from "@/session/session";
import { wanted } from "@/shell/App";
import { SchemeToggle } from "@/shell/SchemeToggle";
import { PasswordForm } from "./PasswordForm";
import { TokenForm } from "./TokenForm";

export default function SignInPage() {
  const options = useAsk("GET /session/options", {});
  const [, go] = useLocation();
  const enter = (session: SessionDetail) => {
    const to = wanted();
    signedIn(session);
    go(to, { replace: true });
  };
  return (
    <Center mih="100dvh" p="md" component="main">
      <title>Sign in · Narthex</title>
      <Card withBorder w="100%" maw={420} p="lg">
        <Stack>
          <Group justify="space-between" wrap="nowrap">
            <Group gap="sm" wrap="nowrap">
              <img src="/favicon.svg" width={36} height={36} alt="" />
              <Title order={1} size="h3">
                Sign in to Narthex
              </Title>
            </Group>
            <SchemeToggle />
          </Group>
          <ProviderProblem />
          <Loaded of={options} title="Narthex is not there" lines={4}>
            {(offered) => <Ways options={offered} enter={enter} />}
          </Loaded>
        </Stack>
      </Card>
    </Center>
  );
}

function Ways({ options, enter }: { options: SessionOptions; enter: (session: SessionDetail) => void }) {
  const provider = options.single_sign_on;
  return (
    <Stack>
      {provider && (
        <>
          <Button component="a" href={`${provider.url}?${new URLSearchParams({ to: wanted() })}`} size="md">
            Sign in with {provider.name}
          </Button>
          <Divider label="or" />
        </>
      )}
      <Tabs defaultValue={options.password ? "password" : "token"} keepMounted={false}>
        <Tabs.List grow mb="md">
          {options.password && <Tabs.Tab value="password">E-mail</Tabs.Tab>}
          {options.token && <Tabs.Tab value="token">Token</Tabs.Tab>}
        </Tabs.List>
        <Tabs.Panel value="password">
          <PasswordForm enter={enter} />
        </Tabs.Panel>
        <Tabs.Panel value="token">
          <TokenForm enter={enter} />
        </Tabs.Panel>
      </Tabs>
      <Text size="xs" c="dimmed">
        {options.domain} · Narthex {options.version}
      </Text>
    </Stack>
  );
}

const PROBLEMS: Record<string, string> = {
  denied: "The provider did not let you in, or you turned back there.",
  expired: "That took too long, or the page was opened in another browser. Sign in again.",
  unknown_user: "The provider knows you, but there is no account of yours here. Ask an administrator for one.",
  unverified_email: "The provider has not verified your e-mail address yet. Do that there, then sign in again.",
  away: "The provider does not answer. Try again shortly, or sign in another way.",
};

/** What went wrong at the provider; the registry sends the browser back with a word for it. */
function ProviderProblem() {
  const [said] = useState(() => new URLSearchParams(window.location.search).get("problem"));
  if (!said) return null;
  return (
    <Alert color="red" title="Not signed in" role="alert">
      {PROBLEMS[said] ?? "Signing in with the provider did not work. The registry's log says why."}
    </Alert>
  );
}

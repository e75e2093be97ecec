/** Own names: claimed, shown to be one's own, used. */
import { Badge, Button, Card, Group, Stack, Text, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useAsk, useChange } from "@/api/queries";
import type { DomainDetail } from "@/api/schema";
import { ConfirmByName } from "@/components/ConfirmByName";
import { Id } from "@/components/Facts";
import { Loaded } from "@/components/Loaded";
import { Problem } from "@/components/Problem";
import { Section } from "@/components/Section";
import { useMay } from "@/session/session";
import type { TabProps } from "../tabs";

const ALL = "/projects/{project}/services/{service}/domains";

export function Domains({ project, service }: TabProps) {
  const may = useMay(project);
  const on = { service: service.name, deployment: service.deployment };
  const path = { project, service: service.name };
  const domains = useAsk(`GET ${ALL}`, { path });
  return (
    <Section
      title="Own domains"
      says="Show that a name is yours, then let its DNS lead to the routers: the service answers for it, with a certificate."
    >
      <Stack gap="sm">
        {may("services.update", on) && <Claim project={project} service={service} />}
        <Loaded of={domains} title="The domains could not be shown">
          {(found) =>
            found.length === 0 ? (
              <Text size="sm" c="dimmed">
                There are none; the service has its own address all the same.
              </Text>
            ) : (
              <Stack gap="xs">
                {found.map((domain) => (
                  <Domain
                    key={domain.id}
                    domain={domain}
                    path={path}
                    may={{ verify: may("services.update", on), remove: may("services.delete", on) }}
                  />
                ))}
              </Stack>
            )
          }
        </Loaded>
      </Stack>
    </Section>
  );
}

function Claim({ project, service }: TabProps) {
  const [host, setHost] = useState("");
  const claim = useChange(`POST ${ALL}`, {
    quiet: true,
    done: ({ host }) => `${host} is claimed; now show that it is yours`,
    after: () => setHost(""),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    claim.mutate({ path: { project, service: service.name }, body: { host: host.trim() } });
  };
  return (
    <form onSubmit={submit}>
      <Group gap="xs" align="flex-end" mb={claim.error ? "xs" : 0}>
        <TextInput
          label="Name"
          placeholder="llm.example.com"
          value={host}
          onChange={(event) => setHost(event.currentTarget.value)}
          autoComplete="off"
          w={{ base: "100%", xs: 300 }}
        />
        <Button type="submit" disabled={!host.trim()} loading={claim.isPending}>
          Claim
        </Button>
      </Group>
      {claim.error && <Problem of={claim.error} title="Not claimed" />}
    </form>
  );
}

interface DomainProps {
  domain: DomainDetail;
  path: { project: string; service: string };
  may: { verify: boolean; remove: boolean };
}

function Domain({ domain, path, may }: DomainProps) {
  const [asking, setAsking] = useState(false);
  const at = { path: { ...path, domain: domain.host } };
  const verify = useChange(`POST ${ALL}/{domain}/verify`, {
    done: `${domain.host} is yours: its certificate is ordered`,
    failed: "Not shown yet",
  });
  const remove = useChange(`DELETE ${ALL}/{domain}`, {
    quiet: true,
    done: `${domain.host} is let go of`,
    after: () => setAsking(false),
  });
  return (
    <Card withBorder padding="sm">
      <Group justify="space-between" gap="xs">
        <Group gap="xs">
          <Text fw={600} style={{ overflowWrap: "anywhere" }}>
            {domain.host}
          </Text>
          <Badge color={domain.verified ? "green" : "yellow"}>{domain.verified ? "yours" : "not shown yet"}</Badge>
        </Group>
        <Group gap="xs">
          {may.verify && !domain.verified && (
            <Button size="xs" loading={verify.isPending} onClick={() => verify.mutate(at)}>
              Look now
            </Button>
          )}
          {may.remove && (
            <Button size="xs" variant="default" onClick={() => setAsking(true)}>
              Let go
            </Button>
          )}
        </Group>
      </Group>
      {!domain.verified && <HowToShow domain={domain} />}
      <ConfirmByName
        opened={asking}
        title={`Let go of ${domain.host}?`}
        name={domain.host}
        action="Let go"
        consequence="The service answers for this name no longer. For 30 days nobody but this project can claim it again."
        working={remove.isPending}
        problem={remove.error}
        onConfirm={() => remove.mutate(at)}
        onClose={() => setAsking(false)}
      />
    </Card>
  );
}

function HowToShow({ domain }: { domain: DomainDetail }) {
  return (
    <Stack gap={4} mt="xs">
      <Text size="sm">Put this text into a TXT record, or into a file on the server that the name leads to now:</Text>
      <Told label="Record" value={domain.txt_name} />
      <Told label="File" value={domain.file_url} />
      <Told label="Text" value={domain.text} />
      {domain.problem && (
        <Text size="sm" c="var(--mantine-color-error)">
          {domain.problem}
        </Text>
      )}
    </Stack>
  );
}

function Told({ label, value }: { label: string; value: string }) {
  return (
    <Group gap={6} wrap="nowrap">
      <Text size="sm" w={52}>
        {label}
      </Text>
      <Id value={value} label={`Copy the ${label.toLowerCase()}`} />
    </Group>
  );
}

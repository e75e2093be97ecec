/** Begins a rollout: to which version, in which steps, and what makes it go back by itself. */
import {
  Anchor,
  Button,
  Checkbox,
  Group,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { useForm } from "@mantine/form";
import { useState } from "react";
import { Link } from "wouter";
import { useAsk, useChange } from "@/api/queries";
import { atField } from "@/api/rule";
import { AddLine, RemoveLine } from "@/components/Lines";
import { Refusal } from "@/components/Refusal";
import { Section } from "@/components/Section";
import { Unread } from "@/components/Unread";
import type { TabProps } from "../../service/tabs";
import { asBody, problems, USUAL, type Values } from "./plan";

const FIELDS = ["version", "sticky"] as const;
const MOST_STEPS = 50;

export function StartForm({ project, service }: TabProps) {
  const { deployment: name } = service;
  const deployment = useAsk("GET /projects/{project}/deployments/{deployment}", {
    path: { project, deployment: name },
  });
  const versions = useAsk("GET /projects/{project}/deployments/{deployment}/versions", {
    path: { project, deployment: name },
  });
  const now = service.version ?? deployment.data?.default_version; // undefined: not known
  const others = (versions.data ?? []).map(({ version }) => version).filter((version) => version !== now);
  const [force, setForce] = useState(false);
  const form = useRolloutForm();
  const start = useChange("POST /projects/{project}/services/{service}/rollouts", {
    quiet: true,
    done: ({ version, weight }) => `${weight} % of the requests go to ${version} now`,
  });
  const submit = form.onSubmit((values) =>
    start.mutate(
      { path: { project, service: service.name }, query: force ? { force } : {}, body: asBody(values) },
      atField(form, FIELDS),
    ),
  );
  return (
    <Section
      title="Go over to another version in steps"
      says={`${now === undefined ? "" : `Now it is ${now || "none"} of ${name}. `}A part of the requests goes to the new version; if that goes wrong, everything goes back by itself.`}
    >
      <Unread of={[deployment, versions]} title="The versions could not be read" />
      {versions.data && others.length === 0 ? (
        <Text size="sm">
          There is no other version to go to:{" "}
          <Anchor component={Link} href={`/projects/${project}/deployments/${name}`} inherit>
            make one of {name}
          </Anchor>
          .
        </Text>
      ) : (
        <form onSubmit={submit} noValidate>
          <Stack>
            <Select
              label="New version"
              required
              data={others}
              searchable={others.length > 8}
              w={{ base: "100%", xs: 300 }}
              {...form.getInputProps("version")}
              value={form.values.version || null}
            />
            <Steps form={form} />
            <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }}>
              <NumberInput
                label="Failed requests, in %"
                description="More than that: everything goes back"
                placeholder="never for that"
                hideControls
                {...form.getInputProps("max_error_percent")}
              />
              <NumberInput
                label="First byte (p95), in ms"
                description="Slower than that: everything goes back"
                placeholder="never for that"
                hideControls
                {...form.getInputProps("max_p95_ms")}
              />
              <NumberInput
                label="Requests"
                description="Seen before a step is judged"
                hideControls
                allowDecimal={false}
                {...form.getInputProps("min_requests")}
              />
              <TextInput
                label="Stay together by"
                description="Same value, same version"
                placeholder="cookie:session"
                {...form.getInputProps("sticky")}
              />
            </SimpleGrid>
            <Checkbox
              label="Begin also when the new version has no healthy instance"
              checked={force}
              onChange={(event) => setForce(event.currentTarget.checked)}
            />
            <Refusal of={start.error} fields={FIELDS} title="The rollout did not begin" />
            <Group>
              <Button type="submit" loading={start.isPending}>
                Begin
              </Button>
            </Group>
          </Stack>
        </form>
      )}
    </Section>
  );
}

function useRolloutForm() {
  return useForm<Values>({ initialValues: USUAL, validateInputOnChange: true, validate: problems });
}

function Steps({ form }: { form: ReturnType<typeof useRolloutForm> }) {
  const { steps } = form.values;
  return (
    <Stack gap="xs" role="group" aria-label="Steps">
      <Text size="sm" fw={500}>
        Steps: share of the requests, and for how long
      </Text>
      {steps.map((_, number) => (
        <Group key={number} gap="xs" align="flex-start" wrap="nowrap">
          <NumberInput
            aria-label={`Step ${number + 1}: percent of the requests`}
            suffix=" %"
            hideControls
            w={100}
            {...form.getInputProps(`steps.${number}.weight`)}
          />
          <NumberInput
            aria-label={`Step ${number + 1}: for how many seconds`}
            placeholder="until somebody goes on"
            suffix=" s at least"
            hideControls
            flex={1}
            maw={220}
            {...form.getInputProps(`steps.${number}.hold_s`)}
          />
          {steps.length > 1 && (
            <RemoveLine label={`Remove step ${number + 1}`} onClick={() => form.removeListItem("steps", number)} />
          )}
        </Group>
      ))}
      {steps.length < MOST_STEPS && (
        <AddLine onClick={() => form.insertListItem("steps", { weight: "", hold_s: "" })}>Add a step</AddLine>
      )}
    </Stack>
  );
}

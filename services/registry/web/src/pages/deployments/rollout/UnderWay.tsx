/** A rollout that is under way: where it is, how both versions do, and how to stop it or go back. */
import { Badge, Group, Progress, SimpleGrid, Stack, Text, Timeline, Title } from "@mantine/core";
import type { RolloutDetail } from "@/api/schema";
import { Ago } from "@/components/Ago";
import { moment, number, percent, seconds } from "@/components/format";
import { Section } from "@/components/Section";
import { Actions } from "./Actions";
import { colorOf, inWords } from "./plan";
import { Seen } from "./Seen";

interface Props {
  project: string;
  rollout: RolloutDetail;
  changeable: boolean;
}

export function UnderWay({ project, rollout, changeable }: Props) {
  const { before, version, state, step, steps, weight, waiting_for: waiting } = rollout;
  return (
    <Section
      title={`From ${before} to ${version}`}
      says={
        <Group gap="xs">
          <Badge color={colorOf(state)}>{inWords(state)}</Badge>
          <span>
            step {step} of {steps.length}, begun <Ago time={rollout.step_began} />
            {waiting && ` · waits for ${waiting}`}
          </span>
        </Group>
      }
      action={changeable && <Actions project={project} rollout={rollout} />}
    >
      <Stack gap="lg">
        <Stack gap={4}>
          <Group justify="space-between">
            <Text size="sm">
              {number(100 - weight)} % to {before}
            </Text>
            <Text size="sm" fw={600}>
              {number(weight)} % to {version}
            </Text>
          </Group>
          <Progress.Root size="lg" style={{ transform: "scaleX(-1)" }}>
            <Progress.Section value={weight} color={colorOf(state)} aria-label={`Requests that go to ${version}`} />
          </Progress.Root>
        </Stack>
        <Seen rollout={rollout} />
        <SimpleGrid cols={{ base: 1, sm: 2 }}>
          <Steps rollout={rollout} />
          <Events rollout={rollout} />
        </SimpleGrid>
      </Stack>
    </Section>
  );
}

function Steps({ rollout }: { rollout: RolloutDetail }) {
  const { steps, step, version, gates, sticky } = rollout;
  return (
    <Stack gap="xs">
      <Title order={3} size="h5">
        Steps
      </Title>
      <Timeline active={step - 1} bulletSize={16} lineWidth={2}>
        {steps.map(({ weight, hold_s }, index) => (
          <Timeline.Item
            key={index}
            title={`${number(weight)} %`}
            aria-current={index + 1 === step ? "step" : undefined}
          >
            <Text size="xs" c="dimmed">
              {hold_s ? `at least ${seconds(hold_s)}` : "until somebody goes on"}
              {index + 1 === step && " · now"}
            </Text>
          </Timeline.Item>
        ))}
        <Timeline.Item title={`${version} has the service`} />
      </Timeline>
      <Text size="xs" c="dimmed">
        Goes back by itself{" "}
        {gates.max_error_rate !== null && gates.max_error_rate !== undefined
          ? `when more than ${percent(gates.max_error_rate)} of ${version}'s requests fail`
          : "for no share of errors"}
        {gates.max_p95_ms ? `, or 1 of 20 waits longer than ${number(gates.max_p95_ms)} ms` : ""}, after at least{" "}
        {number(gates.min_requests)} requests.
        {sticky && ` Requests with the same ${sticky} get the same version.`}
      </Text>
    </Stack>
  );
}

function Events({ rollout }: { rollout: RolloutDetail }) {
  const events = [...rollout.events].reverse();
  return (
    <Stack gap="xs">
      <Title order={3} size="h5">
        What happened
      </Title>
      {events.map(({ time, text }) => (
        <div key={time + text}>
          <Text size="sm" style={{ overflowWrap: "anywhere" }}>
            {text}
          </Text>
          <Text size="xs" c="dimmed">
            {moment(time)}
          </Text>
        </div>
      ))}
    </Stack>
  );
}

/** Going over from one version of a service to another in steps: the one under way, a new one, those before. */
import { Badge, Group, Stack, Table, Text } from "@mantine/core";
import { useAsk } from "@/api/queries";
import type { RolloutDetail } from "@/api/schema";
import { Ago } from "@/components/Ago";
import { Empty } from "@/components/Empty";
import { Loaded } from "@/components/Loaded";
import { Section } from "@/components/Section";
import { useMay } from "@/session/session";
import type { TabProps } from "../../service/tabs";
import { colorOf, inWords, isUnderWay } from "./plan";
import { StartForm } from "./StartForm";
import { UnderWay } from "./UnderWay";

const LOOK_EVERY_MS = 3000; // what routers saw is a measurement, of which no event tells

export default function RolloutTab({ project, service }: TabProps) {
  const may = useMay(project);
  const rollouts = useAsk(
    "GET /projects/{project}/services/{service}/rollouts",
    { path: { project, service: service.name } },
    { every: (answer) => (answer?.some(isUnderWay) ? LOOK_EVERY_MS : false) },
  );
  const changeable = may("services.update", { service: service.name, deployment: service.deployment });
  return (
    <Loaded of={rollouts} title="The rollouts could not be shown" lines={6}>
      {(found) => {
        const now = found.find(isUnderWay);
        const past = found.filter((rollout) => rollout !== now);
        return (
          <Stack>
            {now && <UnderWay project={project} rollout={now} changeable={changeable} />}
            {!now && changeable && <StartForm project={project} service={service} />}
            {!now && !changeable && past.length === 0 && <Empty title="No rollouts yet" />}
            {past.length > 0 && <Past rollouts={past} />}
          </Stack>
        );
      }}
    </Loaded>
  );
}

function Past({ rollouts }: { rollouts: RolloutDetail[] }) {
  return (
    <Section title="Before">
      <Table.ScrollContainer minWidth={460}>
        <Table aria-label="Rollouts before">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>From, to</Table.Th>
              <Table.Th>How it went</Table.Th>
              <Table.Th>Why</Table.Th>
              <Table.Th>Ended</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rollouts.map(({ id, before, version, state, reason, time_updated }) => (
              <Table.Tr key={id}>
                <Table.Td>
                  <Group gap={4} wrap="nowrap">
                    {before} → {version}
                  </Group>
                </Table.Td>
                <Table.Td>
                  <Badge color={colorOf(state)}>{inWords(state)}</Badge>
                </Table.Td>
                <Table.Td>
                  <Text size="sm" style={{ overflowWrap: "anywhere" }}>
                    {reason}
                  </Text>
                </Table.Td>
                <Table.Td>
                  <Ago time={time_updated} />
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Section>
  );
}

/** Limits of single users that differ from the default. */
import { ActionIcon, Button, Group, NumberInput, SegmentedControl, Select, Table, Text } from "@mantine/core";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { useAsk, useChange } from "@/api/queries";
import { number } from "@/components/format";
import { Section } from "@/components/Section";
import { Unread } from "@/components/Unread";
import { useMay } from "@/session/session";
import type { TabProps } from "../tabs";
import { useAssignees } from "./useAssignees";

const RATE = "/projects/{project}/services/{service}/user-rate-limits";
const CONCURRENCY = "/projects/{project}/services/{service}/user-concurrency-limits";

export function UserLimits({ project, service }: TabProps) {
  const may = useMay(project);
  const on = { service: service.name, deployment: service.deployment };
  const path = { project, service: service.name };
  const rates = useAsk(`GET ${RATE}`, { path });
  const concurrencies = useAsk(`GET ${CONCURRENCY}`, { path });
  const said = { done: "The default holds again", failed: "The limit was not removed" };
  const removeRate = useChange(`DELETE ${RATE}/{user}`, said);
  const removeConcurrency = useChange(`DELETE ${CONCURRENCY}/{user}`, said);
  const rows = [
    ...(rates.data ?? []).map((limit) => ({ limit, kind: "requests a minute", remove: removeRate })),
    ...(concurrencies.data ?? []).map((limit) => ({ limit, kind: "under way at once", remove: removeConcurrency })),
  ];
  return (
    <Section title="Limits of single users" says="In place of the default for each token.">
      {may("services.limits.create", on) && <Add project={project} service={service} />}
      <Unread of={[rates, concurrencies]} title="The limits could not be read" />
      {rows.length === 0 ? (
        rates.data &&
        concurrencies.data && (
          <Text size="sm" c="dimmed">
            Everybody has the default.
          </Text>
        )
      ) : (
        <Table>
          <Table.Tbody>
            {rows.map(({ limit, kind, remove }) => (
              <Table.Tr key={`${kind} ${limit.id}`}>
                <Table.Td style={{ overflowWrap: "anywhere" }}>{limit.user_email}</Table.Td>
                <Table.Td>
                  {number(limit.limit)} {kind}
                </Table.Td>
                <Table.Td w={50}>
                  {may("services.limits.delete", on) && (
                    <ActionIcon
                      variant="subtle"
                      color="red"
                      aria-label={`Remove the limit of ${limit.user_email}, ${kind}`}
                      onClick={() => remove.mutate({ path: { ...path, user: limit.user_id } })}
                    >
                      <Trash2 size={16} />
                    </ActionIcon>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Section>
  );
}

function Add({ project, service }: TabProps) {
  const [who, setWho] = useState<string | null>(null);
  const [kind, setKind] = useState("rate");
  const [limit, setLimit] = useState<number | string>("");
  const { assignees, asked } = useAssignees(project);
  const said = { done: "The limit holds from now on", failed: "The limit was not set", after: () => setWho(null) };
  const addRate = useChange(`POST ${RATE}`, said);
  const addConcurrency = useChange(`POST ${CONCURRENCY}`, said);
  const add = kind === "rate" ? addRate : addConcurrency;
  return (
    <Group gap="xs" mb="sm" align="flex-end">
      <Unread of={asked} title="The members could not be read" />
      <Select
        label="Who"
        placeholder="Somebody of this project"
        searchable
        data={assignees.map(({ id, label }) => ({ value: id, label }))}
        value={who}
        onChange={setWho}
        w={{ base: "100%", xs: 260 }}
      />
      <NumberInput label="Limit" value={limit} onChange={setLimit} min={1} allowDecimal={false} hideControls w={110} />
      <SegmentedControl
        aria-label="Of what"
        data={[
          { value: "rate", label: "a minute" },
          { value: "concurrency", label: "at once" },
        ]}
        value={kind}
        onChange={setKind}
      />
      <Button
        disabled={who === null || typeof limit !== "number"}
        loading={add.isPending}
        onClick={() =>
          who !== null &&
          typeof limit === "number" &&
          add.mutate({ path: { project, service: service.name }, body: { user_id: who, limit } })
        }
      >
        Set
      </Button>
    </Group>
  );
}

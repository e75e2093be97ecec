/** The database and the request log: how large they are, and what is in them. */
import { Progress, Table, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { InstallationState } from "@/api/schema";
import { bytes, moment, number } from "@/components/format";
import { Section } from "@/components/Section";

export function Stores({ of: { database, log_store: log } }: { of: InstallationState }) {
  const share = log.limit_bytes > 0 ? (log.size_bytes / log.limit_bytes) * 100 : null;
  return (
    <>
      <Section title="Request log" says={log.kind}>
        {log.reason ? (
          <Text size="sm" c="red">
            {log.reason}
          </Text>
        ) : (
          <>
            {share !== null && <Progress value={share} mb="xs" aria-label="Used of the request log's room" />}
            <Facts
              label="Request log"
              of={[
                ["Size", `${bytes(log.size_bytes)}${log.limit_bytes > 0 ? ` of ${bytes(log.limit_bytes)}` : ""}`],
                ["Requests", number(log.requests)],
                ["Oldest", moment(log.oldest)],
              ]}
            />
          </>
        )}
      </Section>
      <Section title="Database" says={database.kind}>
        <Facts
          label="Database"
          of={[
            ["Size", bytes(database.size_bytes)],
            ["Projects", number(database.projects)],
            ["Services", number(database.services)],
            ["Instances", number(database.instances)],
            ["People and service users", number(database.users)],
            ["Facts that the bus has not taken yet", number(database.facts_waiting)],
          ]}
        />
      </Section>
    </>
  );
}

function Facts({ label, of }: { label: string; of: [string, ReactNode][] }) {
  return (
    <Table withRowBorders={false} verticalSpacing={4} aria-label={label}>
      <Table.Tbody>
        {of.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row">{name}</Table.Th>
            <Table.Td ta="right">{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

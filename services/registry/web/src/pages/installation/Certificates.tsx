/** Which certificates there are, and which are renewed or tried next. */
import { Badge, Group, Stack, Table, Text } from "@mantine/core";
import type { CertificateForecast, CertificateState } from "@/api/schema";
import { Ago } from "@/components/Ago";
import { number } from "@/components/format";
import { Section } from "@/components/Section";

export function Certificates({ of }: { of: CertificateForecast }) {
  return (
    <Section
      title="Certificates"
      says={
        of.reason ? undefined : (
          <Group gap="xs">
            <span>{number(of.total)} in all</span>
            {of.failing > 0 && <Badge color="yellow">{number(of.failing)} failing</Badge>}
            {of.expired > 0 && <Badge color="red">{number(of.expired)} expired</Badge>}
          </Group>
        )
      }
    >
      {of.reason ? (
        <Text size="sm" c="red">
          {of.reason}
        </Text>
      ) : of.next.length === 0 ? (
        <Text size="sm">There is none yet.</Text>
      ) : (
        <Table.ScrollContainer minWidth={620}>
          <Table aria-label="Certificates that are renewed next">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>For</Table.Th>
                <Table.Th>From</Table.Th>
                <Table.Th>Expires</Table.Th>
                <Table.Th>What is next</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {of.next.map((state) => (
                <Row key={state.id} of={state} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Section>
  );
}

function Row({ of }: { of: CertificateState }) {
  return (
    <Table.Tr>
      <Table.Td maw={360} style={{ overflowWrap: "anywhere" }}>
        {of.hosts.join(", ")}
      </Table.Td>
      <Table.Td>{of.issuer}</Table.Td>
      <Table.Td>{of.certificate ? <Ago time={of.certificate.not_after} /> : "there is none"}</Table.Td>
      <Table.Td maw={360}>
        <Stack gap={0}>
          <Text size="sm">
            <Next of={of} />
          </Text>
          {of.failures > 0 && (
            <Text size="xs" c="red" style={{ overflowWrap: "anywhere" }}>
              Failed {number(of.failures)} times in a row: {of.reason}
            </Text>
          )}
        </Stack>
      </Table.Td>
    </Table.Tr>
  );
}

function Next({ of: { step, next_try, renew_at } }: { of: CertificateState }) {
  if (step) return step;
  if (next_try) {
    return (
      <>
        tried <Ago time={next_try} />
      </>
    );
  }
  return renew_at ? (
    <>
      renewed <Ago time={renew_at} />
    </>
  ) : (
    "nothing"
  );
}

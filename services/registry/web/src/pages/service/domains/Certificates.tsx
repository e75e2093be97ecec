/** The certificate of each name: until when, and what stands in the way of the next one. */
import { Badge, Table, Text } from "@mantine/core";
import { useAsk } from "@/api/queries";
import type { ServiceCertificate } from "@/api/schema";
import { Ago } from "@/components/Ago";
import { moment } from "@/components/format";
import { Loaded } from "@/components/Loaded";
import { Section } from "@/components/Section";
import type { TabProps } from "../tabs";

const COLORS: Record<string, string> = {
  good: "green",
  obtaining: "yellow",
  waiting: "yellow",
  failing: "red",
  expired: "red",
};

export function Certificates({ project, service }: TabProps) {
  const certificates = useAsk("GET /projects/{project}/services/{service}/certificates", {
    path: { project, service: service.name },
  });
  return (
    <Section title="Certificates" says="Ordered and renewed by themselves.">
      <Loaded of={certificates} title="The certificates could not be shown">
        {(found) => (
          <Table.ScrollContainer minWidth={820}>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>Status</Table.Th>
                  <Table.Th>Valid until</Table.Th>
                  <Table.Th>Renewed</Table.Th>
                  <Table.Th>Issuer</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {found.map((certificate) => (
                  <Row key={certificate.host} certificate={certificate} />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Loaded>
    </Section>
  );
}

function Row({ certificate }: { certificate: ServiceCertificate }) {
  const { host, status, not_after, renew_at, next_try, failures, reason, issuer } = certificate;
  return (
    <Table.Tr>
      <Table.Td style={{ overflowWrap: "anywhere" }}>{host}</Table.Td>
      <Table.Td>
        <Badge color={COLORS[status] ?? "gray"}>{status}</Badge>
        {reason && (
          <Text size="xs" c="dimmed" style={{ overflowWrap: "anywhere" }}>
            {reason}
          </Text>
        )}
        {failures > 0 && (
          <Text size="xs" c="dimmed">
            {failures} failed in a row; next try <Ago time={next_try} />
          </Text>
        )}
      </Table.Td>
      <Table.Td style={{ whiteSpace: "nowrap" }}>{moment(not_after)}</Table.Td>
      <Table.Td>
        <Ago time={renew_at} />
      </Table.Td>
      <Table.Td>{issuer}</Table.Td>
    </Table.Tr>
  );
}

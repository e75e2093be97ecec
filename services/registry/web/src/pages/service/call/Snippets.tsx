/** Ready to paste: curl, Python, and the client of OpenAI. */
import { Anchor, Box, Card, Code, Tabs, Text, Title } from "@mantine/core";
import { Link } from "wouter";
import { useAsk } from "@/api/queries";
import type { ServiceDetail } from "@/api/schema";
import { Copy } from "@/components/Copy";
import { Unread } from "@/components/Unread";
import { snippets } from "./snippets";

export const OWN_AUTHORITY = "O=Narthex"; // in whose certificates nobody trusts by themselves

export function Snippets({ project, service }: { project: string; service: ServiceDetail }) {
  const certificates = useAsk("GET /projects/{project}/services/{service}/certificates", {
    path: { project, service: service.name },
  });
  const endpoint = service.endpoint ?? "";
  const shown = snippets({
    endpoint: endpoint.endsWith("/") ? endpoint : `${endpoint}/`,
    token: service.authentication_required,
    rootCertificate: certificates.data?.some(({ issuer }) => issuer.includes(OWN_AUTHORITY)) ?? false,
  });
  return (
    <Card withBorder>
      <Title order={2} size="h4" mb="xs">
        Call it
      </Title>
      {service.authentication_required && (
        <Text size="sm" mb="sm">
          Callers bring a token: one of{" "}
          <Anchor component={Link} href="/account" inherit>
            your own
          </Anchor>
          , or that of a service user of this project.
        </Text>
      )}
      <Unread of={[certificates]} title="Whether its certificate has to be named could not be read" />
      <Tabs defaultValue="curl">
        <Tabs.List mb="xs">
          {shown.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {shown.map(({ value, label, text }) => (
          <Tabs.Panel key={value} value={value}>
            <Box pos="relative">
              <Code block tabIndex={0} aria-label={`${label}, to be pasted`} p="md" pr={48} fz="sm">
                {text}
              </Code>
              <Box pos="absolute" top={8} right={8}>
                <Copy value={text} label={`Copy the ${label} snippet`} size="md" />
              </Box>
            </Box>
          </Tabs.Panel>
        ))}
      </Tabs>
    </Card>
  );
}

/** One request: why it went as it did, where its time went, what was sent and answered, and how to ask it again. */
import { Alert, Box, Code, SimpleGrid, Stack, Text } from "@mantine/core";
import { useParams } from "wouter";
import { useAsk } from "@/api/queries";
import type { Explanation } from "@/api/schema";
import { Copy } from "@/components/Copy";
import { Loaded } from "@/components/Loaded";
import { PageHead } from "@/components/PageHead";
import { Section } from "@/components/Section";
import { Unread } from "@/components/Unread";
import { OWN_AUTHORITY } from "../service/call/Snippets";
import { CA } from "../service/call/snippets";
import { Status } from "../service/requests/columns";
import { About } from "./About";
import { headersOf } from "./contents";
import { curl } from "./curl";
import { Message } from "./Message";
import { Then } from "./Then";
import { Waterfall } from "./Waterfall";

const SHOWN = 60; // characters of a path in the title

export default function RequestPage() {
  const { project = "", service = "", request: id = "" } = useParams();
  const explained = useAsk("GET /projects/{project}/services/{service}/requests/{id}/explain", {
    path: { project, service, id },
  });
  const there = `/projects/${project}/services`;
  const path = [
    { label: "Services", href: there },
    { label: service, href: `${there}/${service}` },
    { label: "Requests", href: `${there}/${service}/requests` },
  ];
  const record = explained.data?.request;
  return (
    <>
      <PageHead
        title={record ? `${record.method} ${shortened(record.path)}` : "Request"}
        beside={record && <Status of={record} />}
        path={path}
      />
      <Loaded of={explained} title="The request could not be shown" lines={8}>
        {(found) => <Found project={project} service={service} of={found} />}
      </Loaded>
    </>
  );
}

function Found({ project, service, of }: { project: string; service: string; of: Explanation }) {
  const record = of.request;
  return (
    <Stack>
      <Alert color={record.status >= 500 || record.outcome !== "complete" ? "red" : "blue"} title="Why it went so">
        {of.sentence}
      </Alert>
      <SimpleGrid cols={{ base: 1, lg: 2 }}>
        <Section title="Request and answer">
          <About of={of} />
        </Section>
        <Section title="Timing" says="From when the request came until the end of its answer.">
          <Waterfall record={record} />
        </Section>
        <Message
          title="Request"
          headers={record.request_headers}
          body={record.request_body}
          cut={record.request_cut}
          size={record.request_bytes}
        />
        <Message
          title="Answer"
          headers={record.response_headers}
          body={record.response_body}
          cut={record.response_cut}
          size={record.response_bytes}
        />
      </SimpleGrid>
      <Replay project={project} service={service} of={of} />
      <Then of={of} />
    </Stack>
  );
}

function Replay({ project, service, of }: { project: string; service: string; of: Explanation }) {
  const called = useAsk("GET /projects/{project}/services/{service}", { path: { project, service } });
  const certificates = useAsk("GET /projects/{project}/services/{service}/certificates", {
    path: { project, service },
  });
  const ours = certificates.data?.some(({ issuer }) => issuer.includes(OWN_AUTHORITY));
  const { method, path, query, request_headers, request_body, request_cut } = of.request;
  const { data } = called;
  if (!data?.endpoint || !certificates.data) {
    return <Unread of={[called, certificates]} title="How to ask it again could not be read" />;
  }
  const command = curl({
    endpoint: data.endpoint,
    method,
    path,
    query,
    headers: headersOf(request_headers),
    body: request_body,
    token: data.authentication_required,
    rootCertificate: ours ? CA : "",
  });
  return (
    <Section title="Ask it again" says="Your token is taken from the environment; what was redacted is left out.">
      {request_cut && (
        <Text size="sm" mb="xs">
          Only the beginning of the body was kept, so this sends less than the original.
        </Text>
      )}
      <Box pos="relative">
        <Code block tabIndex={0} role="region" aria-label="curl, to be pasted" p="md" pr={48} mah={320} fz="sm">
          {command}
        </Code>
        <Box pos="absolute" top={8} right={8}>
          <Copy value={command} label="Copy the curl command" size="md" />
        </Box>
      </Box>
    </Section>
  );
}

function shortened(path: string): string {
  return path.length > SHOWN ? `${path.slice(0, SHOWN)}…` : path;
}

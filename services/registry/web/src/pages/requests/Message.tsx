/** One side of a request: its headers and its body, shown as text whatever is in them. */
import { Badge, Code, Group, Stack, Table, Text } from "@mantine/core";
import { Copy } from "@/components/Copy";
import { bytes } from "@/components/format";
import { Section } from "@/components/Section";
import { bodyOf, type Header, headerNamed, headersOf } from "./contents";

interface Props {
  title: string;
  headers: string;
  body: string;
  cut: boolean;
  size: number; // of the whole body
}

export function Message({ title, headers: stored, body: encoded, cut, size }: Props) {
  const headers = headersOf(stored);
  const body = bodyOf(encoded);
  return (
    <Section title={title} says={`Body: ${bytes(size)}`}>
      <Stack gap="sm">
        {headers.length > 0 && <Headers title={title} headers={headers} />}
        {body.kind !== "empty" && (
          <Stack gap={6}>
            <Group gap="xs">
              <Badge color="gray">{body.kind === "binary" ? "binary, in hex" : body.kind}</Badge>
              {headerNamed(headers, "content-encoding") && (
                <Badge color="gray">{headerNamed(headers, "content-encoding")}</Badge>
              )}
              {cut && <Badge color="yellow">only its first {bytes(body.bytes)} were kept</Badge>}
              <Copy value={body.text} label={`Copy the body of the ${title.toLowerCase()}`} />
            </Group>
            <Code block tabIndex={0} role="region" aria-label={`Body of the ${title.toLowerCase()}`} mah={480} fz="sm">
              {body.text}
            </Code>
          </Stack>
        )}
        {headers.length === 0 && body.kind === "empty" && (
          <Text size="sm" c="dimmed">
            {size > 0 || !stored
              ? "Nothing was kept of it: a version's retention mode “full” keeps headers and bodies."
              : "It had no body."}
          </Text>
        )}
      </Stack>
    </Section>
  );
}

function Headers({ title, headers }: { title: string; headers: Header[] }) {
  return (
    <Table.ScrollContainer minWidth={280}>
      <Table aria-label={`Headers of the ${title.toLowerCase()}`} verticalSpacing={4} layout="fixed">
        <Table.Tbody>
          {headers.map(([name, value], number) => (
            <Table.Tr key={`${number}-${name}`}>
              <Table.Th scope="row" w="34%" style={{ overflowWrap: "anywhere", verticalAlign: "top" }}>
                {name}
              </Table.Th>
              <Table.Td ff="monospace" fz="sm" style={{ overflowWrap: "anywhere" }}>
                {value}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

/** The address of a service, with a button that copies it. */
import { Anchor, Group, Text } from "@mantine/core";
import { Copy } from "./Copy";
import { NOTHING } from "./format";

interface Props {
  url: string | null | undefined;
  label?: string;
}

export function Endpoint({ url, label = "Copy the address" }: Props) {
  if (!url) return <Text size="sm">{NOTHING}</Text>;
  return (
    <Group gap={4} wrap="nowrap" miw={0}>
      <Anchor href={url} target="_blank" rel="noreferrer" size="sm" ff="monospace" truncate>
        {url.replace(/^https:\/\//, "").replace(/\/$/, "")}
      </Anchor>
      <Copy value={url} label={label} />
    </Group>
  );
}

/** The labels of a thing; each can be chosen to show only what has it. */
import { Badge, Group, UnstyledButton } from "@mantine/core";
import { textsOf } from "./labels";

interface Props {
  labels: Record<string, string>;
  onChoose?: (label: string) => void;
}

export function Labels({ labels, onChoose }: Props) {
  return (
    <Group gap={4} wrap="nowrap">
      {textsOf(labels).map((text) => {
        const badge = (
          <Badge key={text} color="gray" miw={0} maw={180}>
            {text}
          </Badge>
        );
        if (!onChoose) return badge;
        return (
          <UnstyledButton key={text} onClick={() => onChoose(text)} aria-label={`Show only what has the label ${text}`}>
            {badge}
          </UnstyledButton>
        );
      })}
    </Group>
  );
}

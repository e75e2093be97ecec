/** What will be different, before it is saved. */
import { Button, Group, Modal, Stack, Table, Text } from "@mantine/core";
import type { ApiProblem } from "@/api/problem";
import { type Difference, inWords } from "./changes";
import { NotDone } from "./NotDone";

interface Props {
  opened: boolean;
  title?: string;
  changes: Difference[];
  labels?: Record<string, string>; // of fields; else their own names
  note?: string; // what saving will do, where that does not follow
  saving: boolean;
  problem?: ApiProblem | null;
  onSave: () => void;
  onClose: () => void;
}

export function ReviewChanges({
  opened,
  title = "Save these changes?",
  changes,
  labels,
  note,
  saving,
  problem,
  onSave,
  onClose,
}: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} size="lg">
      <Stack>
        <Table.ScrollContainer minWidth={320}>
          <Table withRowBorders>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Setting</Table.Th>
                <Table.Th>Now</Table.Th>
                <Table.Th>Then</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {changes.map(({ field, before, after }) => (
                <Table.Tr key={field}>
                  <Table.Th scope="row">{labels?.[field] ?? field}</Table.Th>
                  <Table.Td style={{ overflowWrap: "anywhere" }}>
                    <Text component="del" size="sm" c="dimmed">
                      {inWords(before)}
                    </Text>
                  </Table.Td>
                  <Table.Td style={{ overflowWrap: "anywhere" }}>
                    <Text component="ins" size="sm" td="none" fw={600}>
                      {inWords(after)}
                    </Text>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
        {note && <Text size="sm">{note}</Text>}
        <NotDone of={problem} title="Not saved" />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Go on editing
          </Button>
          <Button onClick={onSave} loading={saving} data-autofocus>
            Save
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** A question before something that takes effect at once, where the name need not be typed. */
import { Button, Group, Modal, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import type { ApiProblem } from "@/api/problem";
import { NotDone } from "./NotDone";

interface Props {
  opened: boolean;
  title: string;
  action: string;
  children: ReactNode; // what it will do
  color?: string;
  working: boolean;
  problem?: ApiProblem | null;
  onConfirm: () => void;
  onClose: () => void;
}

export function Confirm({ opened, title, action, children, color, working, problem, onConfirm, onClose }: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={title}>
      <Stack>
        <Text size="sm" component="div">
          {children}
        </Text>
        <NotDone of={problem} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button color={color} onClick={onConfirm} loading={working} data-autofocus>
            {action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** A short form in a dialog: its fields, what the API said against it, and the two ways out. */
import { Button, Group, Modal, Stack } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";
import type { ApiProblem } from "@/api/problem";
import { Problem } from "./Problem";

interface Props {
  opened: boolean;
  title: string;
  action: string;
  working: boolean;
  problem?: ApiProblem | null; // that stands at none of the fields
  failed?: string;
  size?: string;
  onSubmit: (event: FormEvent<HTMLFormElement>) => void;
  onClose: () => void;
  children: ReactNode;
}

export function FormDialog({
  opened,
  title,
  action,
  working,
  problem,
  failed = "Not saved",
  size = "lg",
  onSubmit,
  onClose,
  children,
}: Props) {
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={size}>
      <form onSubmit={onSubmit} noValidate>
        <Stack>
          {children}
          {problem && <Problem of={problem} title={failed} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" loading={working}>
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

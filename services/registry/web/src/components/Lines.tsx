/** The buttons of a list in a form: one in each line that takes it away, and one below that adds a line. */
import { ActionIcon, Button } from "@mantine/core";
import { Plus, Trash2 } from "lucide-react";

export function RemoveLine({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <ActionIcon variant="subtle" color="gray" mt={4} aria-label={label} onClick={onClick}>
      <Trash2 size={16} />
    </ActionIcon>
  );
}

export function AddLine({ children, onClick }: { children: string; onClick: () => void }) {
  return (
    <Button
      variant="subtle"
      size="compact-sm"
      leftSection={<Plus size={14} />}
      style={{ alignSelf: "flex-start" }}
      onClick={onClick}
    >
      {children}
    </Button>
  );
}

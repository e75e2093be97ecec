/** A long form of settings: what will change is shown before it is saved, and a refusal stands at its field. */
import { Button, Group, Stack } from "@mantine/core";
import type { UseFormReturnType } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import type { ApiProblem } from "@/api/problem";
import { queries } from "@/api/queries";
import { atField } from "@/api/rule";
import type { Difference } from "./changes";
import { told } from "./notices";
import { ReviewChanges } from "./ReviewChanges";

interface Props<V extends object, T> {
  form: UseFormReturnType<V>;
  changes: Difference[];
  labels: Record<string, string>; // of the fields that change
  note?: string; // what saving will do, where that does not follow
  save: () => Promise<T>;
  onSaved: (saved: T) => void;
  children: ReactNode;
}

export function ReviewedForm<V extends object, T>(props: Props<V, T>) {
  const { form, changes, labels, note, save, onSaved, children } = props;
  const [reviewing, setReviewing] = useState(false);
  const saving = useMutation<T, ApiProblem>({
    mutationFn: save,
    onSuccess: (saved) => {
      setReviewing(false);
      told("Saved");
      onSaved(saved);
      void queries.invalidateQueries();
    },
    ...atField(form, Object.keys(form.values)),
  });
  return (
    <form onSubmit={form.onSubmit(() => setReviewing(true))} noValidate>
      <Stack>
        {children}
        <Group className="save-bar">
          <Button type="submit" disabled={changes.length === 0}>
            Review and save
          </Button>
          <Button variant="default" disabled={changes.length === 0} onClick={() => form.reset()}>
            Discard
          </Button>
        </Group>
      </Stack>
      <ReviewChanges
        opened={reviewing}
        changes={changes}
        labels={labels}
        note={note}
        saving={saving.isPending}
        problem={saving.error}
        onSave={() => saving.mutate()}
        onClose={() => setReviewing(false)}
      />
    </form>
  );
}

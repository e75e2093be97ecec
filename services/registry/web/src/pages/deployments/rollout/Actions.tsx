/** What can be asked of a rollout: stay, go on, the next step, all of it, or back. */
import { Button, Group } from "@mantine/core";
import { Pause, Play, SkipForward, Undo2 } from "lucide-react";
import { useState } from "react";
import { useChange } from "@/api/queries";
import type { RolloutDetail } from "@/api/schema";
import { Confirm } from "@/components/Confirm";

type Asked = "promoted" | "rolled_back";

export function Actions({ project, rollout }: { project: string; rollout: RolloutDetail }) {
  const [asking, ask] = useState<Asked | null>(null);
  const change = useChange("PATCH /projects/{project}/services/{service}/rollouts/{rollout}", {
    failed: "The rollout goes on as before",
  });
  const end = useChange("PATCH /projects/{project}/services/{service}/rollouts/{rollout}", {
    quiet: true,
    after: () => ask(null),
  });
  const path = { project, service: rollout.service, rollout: rollout.id };
  const running = rollout.state === "running";
  const last = rollout.step === rollout.steps.length;
  const { before, version } = rollout;
  return (
    <Group gap="xs">
      {running ? (
        <Button
          variant="default"
          leftSection={<Pause size={16} />}
          loading={change.isPending}
          onClick={() => change.mutate({ path, body: { state: "stopped" } })}
        >
          Stop here
        </Button>
      ) : (
        <Button
          variant="default"
          leftSection={<Play size={16} />}
          loading={change.isPending}
          onClick={() => change.mutate({ path, body: { state: "running" } })}
        >
          Go on
        </Button>
      )}
      {!last && (
        <Button
          variant="default"
          leftSection={<SkipForward size={16} />}
          onClick={() => change.mutate({ path, body: { state: "running", step: rollout.step + 1 } })}
        >
          Next step
        </Button>
      )}
      <Button variant="default" onClick={() => ask("promoted")}>
        Give {version} everything
      </Button>
      <Button color="red" variant="light" leftSection={<Undo2 size={16} />} onClick={() => ask("rolled_back")}>
        Go back
      </Button>
      <Confirm
        opened={asking !== null}
        title={asking === "promoted" ? `Give ${version} the service?` : `Go back to ${before}?`}
        action={asking === "promoted" ? "Give it everything" : "Go back"}
        color={asking === "promoted" ? undefined : "red"}
        working={end.isPending}
        problem={end.error}
        onConfirm={() => asking && end.mutate({ path, body: { state: asking } })}
        onClose={() => ask(null)}
      >
        All requests go to {asking === "promoted" ? version : before} from now on, and the rollout is over. Those under
        way end where they are.
      </Confirm>
    </Group>
  );
}

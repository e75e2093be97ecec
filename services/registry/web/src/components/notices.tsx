/** Short messages in the corner: what was done, or what was not and why. */
import { notifications } from "@mantine/notifications";
import { asProblem } from "@/api/problem";
import { Why } from "./Why";

const PROBLEM_MS = 15_000; // long enough to copy the request id

export function told(message: string): void {
  notifications.show({ message, color: "green" });
}

/** Says what happened, what can be done, and the request id. `failed`: "web was not deleted". */
export function toldProblem(error: unknown, failed?: string): void {
  notifications.show({
    color: "red",
    autoClose: PROBLEM_MS,
    title: failed ?? "That did not work",
    message: <Why of={asProblem(error)} />,
  });
}

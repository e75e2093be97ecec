/** Short messages in the corner: what was done, or what was not and why. */
import { Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { advice, asProblem } from "@/api/problem";
import { RequestId } from "./RequestId";

const PROBLEM_MS = 15_000; // long enough to copy the request id

export function told(message: string): void {
  notifications.show({ message, color: "green" });
}

/** Says what happened, what can be done, and the request id. `failed`: "web was not deleted". */
export function toldProblem(error: unknown, failed?: string): void {
  const problem = asProblem(error);
  notifications.show({
    color: "red",
    autoClose: PROBLEM_MS,
    title: failed ?? "That did not work",
    message: (
      <>
        <Text size="sm">{sentence(problem.message)}</Text>
        {advice(problem) && <Text size="sm">{advice(problem)}</Text>}
        <RequestId of={problem} />
      </>
    ),
  });
}

/** With a capital letter: the API's sentences begin with a field's name or a small letter. */
export function sentence(text: string): string {
  return /^[a-z_.]+: /.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

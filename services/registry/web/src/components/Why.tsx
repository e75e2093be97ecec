/** What happened, what can be done about it, and the request id. */
import { Text } from "@mantine/core";
import { type ApiProblem, advice } from "@/api/problem";
import { RequestId } from "./RequestId";

export function Why({ of }: { of: ApiProblem }) {
  return (
    <>
      <Text size="sm">{sentence(of.message)}</Text>
      {advice(of) && <Text size="sm">{advice(of)}</Text>}
      <RequestId of={of} />
    </>
  );
}

/** With a capital letter: the API's sentences begin with a field's name or a small letter. */
function sentence(text: string): string {
  return /^[a-z_.]+: /.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}

/** Under a form: what the API said against it, or only the request id where that stands at a field. */
import type { ApiProblem } from "@/api/problem";
import { isAbout } from "@/api/rule";
import { Problem } from "./Problem";
import { RequestId } from "./RequestId";

interface Props {
  of: ApiProblem | null;
  fields: readonly string[]; // at which refusals are shown
  title: string;
}

export function Refusal({ of, fields, title }: Props) {
  if (of === null) return null;
  return isAbout(of, fields) ? <RequestId of={of} /> : <Problem of={of} title={title} />;
}

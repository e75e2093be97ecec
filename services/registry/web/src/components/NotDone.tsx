/** In a dialog: why what it is for was not done. Of what it was opened for before, nothing is said. */
import { useState } from "react";
import type { ApiProblem } from "@/api/problem";
import { Problem } from "./Problem";

interface Props {
  of: ApiProblem | null | undefined; // of the change, which may be kept longer than the dialog is open
  title?: string;
}

export function NotDone({ of, title = "Not done" }: Props) {
  const [earlier] = useState(of);
  return of && of !== earlier ? <Problem of={of} title={title} /> : null;
}

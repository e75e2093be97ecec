/** When something ends by itself, ended, or that it never does. */
import { Badge } from "@mantine/core";
import { Ago } from "./Ago";

export function Ends({ at }: { at: string | null }) {
  if (at === null) return "never";
  return new Date(at).getTime() < Date.now() ? <Badge color="gray">ended</Badge> : <Ago time={at} />;
}

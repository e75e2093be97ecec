/** A new token for a service user, in place of the one it has. */
import { useChange } from "@/api/queries";
import type { ServiceUserDetail } from "@/api/schema";
import { Confirm } from "@/components/Confirm";
import { Made } from "./ServiceUserDialog";

interface Props {
  project: string;
  user: ServiceUserDetail;
  onClose: () => void;
}

export function TokenDialog({ project, user, onClose }: Props) {
  const reset = useChange("PUT /projects/{project}/service-users/{user}/token", { quiet: true });
  const name = user.name ?? user.email;
  if (reset.data) return <Made name={name} token={reset.data.token} onClose={onClose} />;
  return (
    <Confirm
      opened
      title={`A new token for ${name}?`}
      action="Make a new token"
      color="red"
      working={reset.isPending}
      problem={reset.error}
      onConfirm={() => reset.mutate({ path: { project, user: user.id } })}
      onClose={onClose}
    >
      The token that it has is refused from now on, on connections that are open too.
    </Confirm>
  );
}

/** Deletes a service user, after its name was typed. */
import { useChange } from "@/api/queries";
import type { ServiceUserDetail } from "@/api/schema";
import { ConfirmByName } from "@/components/ConfirmByName";

interface Props {
  project: string;
  user: ServiceUserDetail;
  onClose: () => void;
}

export function Remove({ project, user, onClose }: Props) {
  const name = user.name ?? user.email;
  const remove = useChange("DELETE /projects/{project}/service-users/{user}", {
    quiet: true,
    done: `${name} is deleted`,
    after: onClose,
  });
  return (
    <ConfirmByName
      opened
      title={`Delete ${name}?`}
      name={name}
      action="Delete the service user"
      consequence="Its token is refused from now on, on connections that are open too."
      working={remove.isPending}
      problem={remove.error}
      onConfirm={() => remove.mutate({ path: { project, user: user.id } })}
      onClose={onClose}
    />
  );
}

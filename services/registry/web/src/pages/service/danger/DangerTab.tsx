/** What cannot be undone. */
import { useLocation } from "wouter";
import { useChange } from "@/api/queries";
import { RemoveSection } from "@/components/RemoveSection";
import type { TabProps } from "../tabs";

export default function DangerTab({ project, service: { name, deployment } }: TabProps) {
  const [, go] = useLocation();
  const remove = useChange("DELETE /projects/{project}/services/{service}", {
    quiet: true,
    done: `${name} is deleted`,
    after: () => go(`/projects/${project}/services`),
  });
  return (
    <RemoveSection
      noun="service"
      name={name}
      says={`Its address stops answering at once, on open connections too. The deployment ${deployment} and its instances stay.`}
      consequence="Everybody who calls its address gets a 404 from now on. Limits, sharing links and own domains of this service go with it."
      working={remove.isPending}
      problem={remove.error}
      onConfirm={() => remove.mutate({ path: { project, service: name } })}
    />
  );
}

/** The instances of a version; one that is chosen opens with what it went through. */
import { type ReactNode, useState } from "react";
import { useCursorPages } from "@/api/pages";
import { PagedTable } from "@/components/PagedTable";
import { columns } from "./columns";
import { InstanceDrawer } from "./InstanceDrawer";

interface Props {
  path: { project: string; deployment: string; version: string };
  empty: ReactNode;
}

export function InstanceList({ path, empty }: Props) {
  const [chosen, choose] = useState<string | null>(null);
  const instances = useCursorPages("GET /projects/{project}/deployments/{deployment}/versions/{version}/instances", {
    path,
  });
  const open = ({ id }: { id: string }) => choose(id);
  return (
    <>
      <PagedTable
        of={instances}
        failed="The instances could not be shown"
        label="Instances"
        columns={columns(open)}
        rowKey={({ id }) => id}
        onOpen={open}
        empty={empty}
      />
      <InstanceDrawer
        {...path}
        instance={instances.rows.find(({ id }) => id === chosen) ?? null}
        onClose={() => choose(null)}
      />
    </>
  );
}

/** What the list of instances shows. */
import { Anchor, Text } from "@mantine/core";
import type { InstanceDetail } from "@/api/schema";
import { Ago } from "@/components/Ago";
import type { Column } from "@/components/DataTable";
import { NOTHING } from "@/components/format";
import { Health } from "./Health";

export function columns(open: (instance: InstanceDetail) => void): Column<InstanceDetail>[] {
  return [
    {
      key: "address",
      header: "Address",
      width: "minmax(130px, 1fr)",
      cell: (instance) => (
        <Anchor component="button" type="button" size="sm" ff="monospace" onClick={() => open(instance)}>
          {instance.address}
          {instance.port ? `:${instance.port}` : ""}
        </Anchor>
      ),
    },
    { key: "health", header: "Health", width: "140px", cell: (instance) => <Health instance={instance} /> },
    {
      key: "reason",
      header: "Why",
      width: "minmax(120px, 2fr)",
      from: "sm",
      cell: ({ reason }) => (
        <Text size="sm" truncate title={reason}>
          {reason || NOTHING}
        </Text>
      ),
    },
    { key: "weight", header: "Weight", width: "70px", align: "right", from: "md", cell: ({ weight }) => weight },
    {
      key: "since",
      header: "Registered",
      width: "130px",
      from: "md",
      cell: ({ time_created }) => <Ago time={time_created} />,
    },
    {
      key: "lease",
      header: "Lease ends",
      width: "130px",
      from: "lg",
      cell: ({ lease_expires }) => (lease_expires ? <Ago time={lease_expires} /> : "never"),
    },
  ];
}

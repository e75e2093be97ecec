/** All services of a project, and how they do now. */
import { Anchor, Button, Group, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Plus, Search } from "lucide-react";
import { useState } from "react";
import { Link, useLocation, useParams } from "wouter";
import { type Pages, useOffsetPages } from "@/api/pages";
import type { ServiceSummary } from "@/api/schema";
import type { Column } from "@/components/DataTable";
import { Empty } from "@/components/Empty";
import { Endpoint } from "@/components/Endpoint";
import { ms, NOTHING, percent, rate } from "@/components/format";
import { Labels } from "@/components/Labels";
import { Ready } from "@/components/Live";
import { PagedTable } from "@/components/PagedTable";
import { PageHead } from "@/components/PageHead";
import { type Live, useLive } from "@/live/services";
import { useMay } from "@/session/session";

const TYPED_MS = 200;

export default function ServicesPage() {
  const { project = "" } = useParams();
  const [, go] = useLocation();
  const may = useMay(project);
  const live = useLive();
  const [search, setSearch] = useState("");
  const [labels, setLabels] = useState("");
  const [searched] = useDebouncedValue(search, TYPED_MS);
  const [labelled] = useDebouncedValue(labels, TYPED_MS);
  const query = { search: searched, labels: labelled };
  const services = useOffsetPages("GET /projects/{project}/services", { path: { project }, query });
  const here = `/projects/${project}/services`;
  const create = may("services.create") && (
    <Button component={Link} href={`${here}/new`} leftSection={<Plus size={16} />}>
      Create service
    </Button>
  );
  return (
    <>
      <PageHead title="Services">{create}</PageHead>
      <Group mb="md" gap="sm" align="flex-end">
        <TextInput
          aria-label="Search services"
          placeholder="Search by name, deployment or label"
          leftSection={<Search size={16} />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          flex={{ base: "1 1 100%", sm: "0 1 320px" }}
        />
        <TextInput
          aria-label="Only with these labels"
          placeholder="team:search, env:live"
          value={labels}
          onChange={(event) => setLabels(event.currentTarget.value)}
          flex={{ base: "1 1 100%", sm: "0 1 240px" }}
        />
      </Group>
      {!live.measured && (
        <Text size="sm" mb="xs">
          The request log is away just now: requests, errors and times are not known.
        </Text>
      )}
      <PagedTable
        of={services as Pages<ServiceSummary>}
        failed="The services could not be shown"
        label="Services"
        columns={columns(here, live, setLabels)}
        rowKey={(service) => service.id}
        onOpen={(service) => go(`${here}/${service.name}`)}
        empty={
          search || labels ? (
            <Empty title="No service is like that">Search for less, or for other labels.</Empty>
          ) : (
            <Empty title="No services yet" action={create}>
              A service gives a deployment an address with a certificate, and decides who may call it.
            </Empty>
          )
        }
      />
    </>
  );
}

function columns(here: string, live: Live, chooseLabel: (label: string) => void): Column<ServiceSummary>[] {
  const of = (service: ServiceSummary) => live.services.get(service.id);
  return [
    {
      key: "name",
      header: "Service",
      width: "minmax(120px, 1.4fr)",
      cell: (service) => (
        <Anchor component={Link} href={`${here}/${service.name}`} fw={600} size="sm">
          {service.name}
        </Anchor>
      ),
    },
    { key: "ready", header: "Instances", width: "120px", cell: (service) => <Ready live={of(service)} /> },
    {
      key: "rate",
      header: "Requests",
      width: "80px",
      align: "right",
      cell: (service) => rate(of(service)?.requests_per_second),
    },
    {
      key: "errors",
      header: "Errors",
      width: "70px",
      align: "right",
      from: "sm",
      cell: (service) => percent(of(service)?.error_rate),
    },
    {
      key: "p95",
      header: "p95",
      width: "80px",
      align: "right",
      from: "sm",
      cell: (service) => ms(of(service)?.p95_ms),
    },
    { key: "deployment", header: "Deployment", width: "minmax(90px, 1fr)", from: "lg", cell: behind },
    {
      key: "endpoint",
      header: "Address",
      width: "minmax(160px, 1.6fr)",
      from: "md",
      cell: (service) => <Endpoint url={service.endpoint} />,
    },
    {
      key: "labels",
      header: "Labels",
      width: "minmax(80px, 1fr)",
      from: "lg",
      cell: (service) => <Labels labels={service.labels} onChoose={chooseLabel} />,
    },
  ];
}

function behind({ deployment, version, type }: ServiceSummary): string {
  if (type === "imported") return "imported";
  return version ? `${deployment} · ${version}` : deployment || NOTHING;
}

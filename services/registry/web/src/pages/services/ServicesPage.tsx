/** All services of a project, and how they do now. */
import { Button, Group, Text, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { Plus, Search } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { Link, useLocation, useParams } from "wouter";
import { useOffsetPages } from "@/api/pages";
import { Empty } from "@/components/Empty";
import { PagedTable } from "@/components/PagedTable";
import { PageHead } from "@/components/PageHead";
import { useMeasured } from "@/live/services";
import { useMay } from "@/session/session";
import { columns } from "./columns";
import { type EVERY, LIST } from "./list";

const TYPED_MS = 200;

export default function ServicesPage() {
  const { project = "" } = useParams();
  const may = useMay(project);
  const [search, setSearch] = useState("");
  const [labels, setLabels] = useState("");
  const [searched] = useDebouncedValue(search, TYPED_MS);
  const [labelled] = useDebouncedValue(labels, TYPED_MS);
  const create = may("services.create") && (
    <Button component={Link} href={`/projects/${project}/services/new`} leftSection={<Plus size={16} />}>
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
      <Unmeasured />
      <List
        project={project}
        query={{ search: searched, labels: labelled }}
        chooseLabel={setLabels}
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

function Unmeasured() {
  if (useMeasured()) return null;
  return (
    <Text size="sm" mb="xs">
      The request log is away just now: requests, errors and times are not known.
    </Text>
  );
}

interface ListProps {
  project: string;
  query: typeof EVERY;
  chooseLabel: (label: string) => void;
  empty: ReactNode;
}

/** Apart from the page, which is not drawn again while it scrolls. */
function List({ project, query, chooseLabel, empty }: ListProps) {
  const [, go] = useLocation();
  const services = useOffsetPages(LIST, { path: { project }, query });
  const here = `/projects/${project}/services`;
  const shown = useMemo(() => columns(here, chooseLabel), [here, chooseLabel]);
  return (
    <PagedTable
      of={services}
      failed="The services could not be shown"
      label="Services"
      columns={shown}
      rowKey={({ id }) => id}
      onOpen={({ name }) => go(`${here}/${name}`)}
      empty={empty}
    />
  );
}

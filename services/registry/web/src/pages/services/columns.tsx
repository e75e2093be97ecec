/** What the list of services shows: what is stored of each, and how it does now. */
import type { LiveService, ServiceDetail, ServiceSummary } from "@/api/schema";
import type { Column } from "@/components/DataTable";
import { Endpoint } from "@/components/Endpoint";
import { ms, NOTHING, percent, rate } from "@/components/format";
import { Labels } from "@/components/Labels";
import { Ready } from "@/components/Live";
import { useLiveService } from "@/live/services";

type Listed = ServiceSummary | ServiceDetail;

export function columns(here: string, chooseLabel: (label: string) => void): Column<Listed>[] {
  return [
    {
      key: "name",
      header: "Service",
      width: "minmax(120px, 1.4fr)",
      cell: ({ name }) => (
        <a href={`${here}/${name}`} className="data-link data-name">
          {name}
        </a>
      ),
    },
    { key: "ready", header: "Instances", width: "120px", cell: ({ id }) => <ReadyNow id={id} /> },
    {
      key: "rate",
      header: "Requests",
      width: "80px",
      align: "right",
      cell: ({ id }) => <Now id={id} what={requests} />,
    },
    {
      key: "errors",
      header: "Errors",
      width: "70px",
      align: "right",
      from: "sm",
      cell: ({ id }) => <Now id={id} what={errors} />,
    },
    {
      key: "p95",
      header: "p95",
      width: "80px",
      align: "right",
      from: "sm",
      cell: ({ id }) => <Now id={id} what={p95} />,
    },
    { key: "deployment", header: "Deployment", width: "minmax(90px, 1fr)", from: "lg", cell: behind },
    {
      key: "endpoint",
      header: "Address",
      width: "minmax(160px, 1.6fr)",
      from: "md",
      cell: ({ endpoint }) => <Endpoint url={endpoint} />,
    },
    {
      key: "labels",
      header: "Labels",
      width: "minmax(80px, 1fr)",
      from: "lg",
      cell: ({ labels }) => <Labels labels={labels} onChoose={chooseLabel} />,
    },
  ];
}

function ReadyNow({ id }: { id: string }) {
  return <Ready live={useLiveService(id)} />;
}

/** A number that is drawn again when it is another, and nothing else of the row is. */
function Now({ id, what }: { id: string; what: (live: LiveService | undefined) => string }) {
  return what(useLiveService(id));
}

const requests = (live?: LiveService) => rate(live?.requests_per_second);
const errors = (live?: LiveService) => percent(live?.error_rate);
const p95 = (live?: LiveService) => ms(live?.p95_ms);

function behind({ deployment, version, type }: Listed): string {
  if (type === "imported") return "imported";
  return version ? `${deployment} · ${version}` : deployment || NOTHING;
}

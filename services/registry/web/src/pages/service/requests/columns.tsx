/** What the list of requests shows. All of it came from outside: it is shown as text, whatever is in it. */
import type { RequestRecord } from "@/api/schema";
import { Chip } from "@/components/Chip";
import type { Column } from "@/components/DataTable";
import { bytes, clock, moment, ms } from "@/components/format";

export function columns(here: string): Column<RequestRecord>[] {
  return [
    {
      key: "time",
      header: "Time",
      width: "86px",
      cell: ({ id, time }) => (
        <a href={`${here}/${id}`} className="data-link" title={moment(time)}>
          {clock(time)}
        </a>
      ),
    },
    { key: "status", header: "Status", width: "64px", cell: (record) => <Status of={record} /> },
    {
      key: "path",
      header: "Request",
      width: "minmax(70px, 3fr)",
      cell: ({ method, path, query }) => (
        <span className="data-mono" title={path}>
          {method} {path}
          {query && `?${query}`}
        </span>
      ),
    },
    {
      key: "code",
      header: "Answered by",
      width: "minmax(90px, 1fr)",
      from: "md",
      cell: ({ code }) => code || "instance",
    },
    {
      key: "first",
      header: "First byte",
      width: "80px",
      align: "right",
      from: "md",
      cell: ({ first_byte_ms }) => ms(first_byte_ms),
    },
    { key: "total", header: "Total", width: "76px", align: "right", cell: ({ total_ms }) => ms(total_ms) },
    {
      key: "size",
      header: "Size",
      width: "80px",
      align: "right",
      from: "lg",
      cell: ({ response_bytes }) => bytes(response_bytes),
    },
    { key: "client", header: "From", width: "120px", from: "lg", cell: ({ client }) => client },
    {
      key: "tries",
      header: "Tries",
      width: "52px",
      align: "right",
      from: "lg",
      cell: ({ attempts }) => attempts.length,
    },
  ];
}

export function Status({ of }: { of: Pick<RequestRecord, "status" | "outcome"> }) {
  const broken = of.outcome !== "complete";
  const color = broken || of.status >= 500 ? "red" : of.status >= 400 ? "orange" : of.status >= 300 ? "blue" : "green";
  return (
    <Chip color={color} title={broken ? `broken off: ${of.outcome}` : undefined}>
      {of.status || "–"}
      {broken && " ✂"}
    </Chip>
  );
}

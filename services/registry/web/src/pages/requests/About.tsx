/** What is known of a request, by name. */
import type { Explanation } from "@/api/schema";
import { type Fact, Facts, Id } from "@/components/Facts";
import { bytes, moment, ms } from "@/components/format";

export function About({ of }: { of: Explanation }) {
  const { request: record, deployment, version, user } = of;
  const facts: Fact[] = [
    ["Request id", <Id key="id" value={record.id} label="Copy the request id" />],
    ["Path", record.query ? `${record.path}?${record.query}` : record.path],
    ["Time", moment(record.time)],
    ["Answered by", record.code ? `the router: ${record.code}` : (record.attempts.at(-1)?.address ?? "the instance")],
    ["Outcome", record.outcome],
    ["Took", ms(record.total_ms)],
    ["Caller", user],
    ["From", record.client],
    ["User agent", record.user_agent],
    ["Served by", [deployment, version].filter(Boolean).join(" · ")],
    ["Router", record.router],
    ["Trace", record.trace_id && <Id key="trace" value={record.trace_id} label="Copy the trace id" />],
    ["Request body", bytes(record.request_bytes)],
    ["Answer's body", bytes(record.response_bytes)],
  ];
  return <Facts label="The request" of={facts} width={140} />;
}

/** The settings of a version as a form has them, and as the API takes them. Pure. */
import { broken, ruleOf } from "@/api/rule";
import type { HealthCheckBody, VersionDetail, VersionUpdate } from "@/api/schema";
import { labelProblem, labelsOf, textsOf } from "@/components/labels";

type Numeric = number | string; // "" where nothing is set

export interface Values {
  version: string;
  description: string;
  labels: string[];
  request_retention_mode: string;
  request_retention_time: Numeric;
  type: string; // of the health check; "" = by its path
  path: string;
  port: Numeric;
  interval: Numeric;
  timeout: Numeric;
  failure_threshold: Numeric;
  success_threshold: Numeric;
  method: string;
  expected_status: string;
  grpc_service: string;
  tls: boolean;
  tls_verify: boolean;
}

export const PROBE = [
  "type",
  "path",
  "port",
  "interval",
  "timeout",
  "failure_threshold",
  "success_threshold",
  "method",
  "expected_status",
  "grpc_service",
  "tls",
  "tls_verify",
] as const;
export const OWN = ["version", "description", "labels", "request_retention_mode", "request_retention_time"] as const;
const DAYS_7 = 604_800;

export function valuesOf(version: VersionDetail | null): Values {
  const probe = (version?.health_check ?? {}) as HealthCheckBody;
  return {
    version: version?.version ?? "",
    description: version?.description ?? "",
    labels: textsOf(version?.labels ?? {}),
    request_retention_mode: version?.request_retention_mode ?? "metadata",
    request_retention_time: version?.request_retention_time ?? DAYS_7,
    type: probe.type ?? "",
    path: probe.path ?? "",
    port: probe.port ?? "",
    interval: probe.interval ?? "",
    timeout: probe.timeout ?? "",
    failure_threshold: probe.failure_threshold ?? "",
    success_threshold: probe.success_threshold ?? "",
    method: probe.method ?? "",
    expected_status: String(probe.expected_status ?? ""),
    grpc_service: probe.grpc_service ?? "",
    tls: probe.tls ?? false,
    tls_verify: probe.tls_verify ?? true,
  };
}

/** What the API is told; of the health check also what this form does not show, as it was. */
export function wanted(values: Values, before: VersionDetail | null): VersionUpdate {
  const probe = probeOf(values);
  const kept = (before?.health_check ?? {}) as Record<string, unknown>;
  return {
    version: values.version,
    description: values.description,
    labels: labelsOf(values.labels),
    request_retention_mode: values.request_retention_mode,
    ...(values.request_retention_time !== "" && { request_retention_time: Number(values.request_retention_time) }),
    health_check: Object.keys(probe).length === 0 && !before?.health_check ? null : { ...kept, ...cleared(probe) },
  };
}

/** What is set of the health check; what is as it would be anyway is not sent. */
function probeOf(values: Values): HealthCheckBody {
  const given = PROBE.filter((name) => {
    if (name === "tls") return values.tls;
    if (name === "tls_verify") return values.tls && !values.tls_verify;
    return values[name] !== "";
  });
  return Object.fromEntries(given.map((name) => [name, values[name]]));
}

function cleared(probe: HealthCheckBody): HealthCheckBody {
  return { ...Object.fromEntries(PROBE.map((name) => [name, null])), ...probe };
}

export function problems(values: Values): Record<string, string | null> {
  return {
    ...Object.fromEntries(OWN.map((name) => [name, broken(ruleOf("VersionCreate", name), values[name])])),
    ...Object.fromEntries(PROBE.map((name) => [name, broken(ruleOf("HealthCheckBody", name), values[name])])),
    labels: labelProblem(values.labels),
    path: values.path && !values.path.startsWith("/") ? "must start with a single /" : null,
  };
}

export const labels: Record<string, string> = {
  version: "Name",
  description: "Description",
  labels: "Labels",
  request_retention_mode: "What is kept of requests",
  request_retention_time: "How long it is kept, in seconds",
  health_check: "Health check",
};

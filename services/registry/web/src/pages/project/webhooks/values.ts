/** A webhook as a form has it, and as the API takes it. Pure. */
import { broken, ruleOf } from "@/api/rule";
import type { WebhookCreate, WebhookDetail, WebhookHeader } from "@/api/schema";
import { labelProblem, labelsOf, textsOf } from "@/components/labels";
import type { ObjectType } from "./events";

export const ANY = "*"; // in place of a name: all of that type
export const FIELDS = ["name", "url", "event", "description", "labels", "timeout", "object_name", "version"] as const;

export interface Values {
  name: string;
  url: string;
  object_type: ObjectType;
  object_name: string;
  version: string;
  event: string;
  description: string;
  labels: string[];
  timeout: number | string;
  retry: boolean;
  enabled: boolean;
  include_result: boolean;
  headers: WebhookHeader[];
}

export function valuesOf(webhook: WebhookDetail | null): Values {
  return {
    name: webhook?.name ?? "",
    url: webhook?.url ?? "",
    object_type: (webhook?.object_type ?? "service") as ObjectType,
    object_name: webhook?.object_name ?? ANY,
    version: webhook?.version ?? "",
    event: webhook?.event ?? "service_unhealthy",
    description: webhook?.description ?? "",
    labels: textsOf(webhook?.labels ?? {}),
    timeout: webhook?.timeout ?? 10,
    retry: webhook?.retry ?? true,
    enabled: webhook?.enabled ?? true,
    include_result: webhook?.include_result ?? false,
    headers: webhook?.headers ?? [],
  };
}

/** What it is about can be said once only. */
export function asCreate(values: Values): WebhookCreate {
  const { object_type, object_name, version } = values;
  return { ...asUpdate(values), object_type, object_name, ...(version && { version }) };
}

export function asUpdate({ object_type: _t, object_name: _n, version: _v, labels, timeout, ...rest }: Values) {
  return { ...rest, labels: labelsOf(labels), timeout: Number(timeout || 10) };
}

export function problems(values: Values): Record<string, string | null> {
  const headers = values.headers.flatMap(({ key, value }, number) => [
    [`headers.${number}.key`, broken({ ...ruleOf("WebhookHeader", "key"), rule: "must be a header's name" }, key)],
    [
      `headers.${number}.value`,
      broken({ ...ruleOf("WebhookHeader", "value"), rule: "must be printable ASCII, 1024 characters at most" }, value),
    ],
  ]);
  return {
    ...Object.fromEntries(
      (["name", "url", "description", "timeout"] as const).map((name) => [
        name,
        broken(ruleOf("WebhookCreate", name), values[name]),
      ]),
    ),
    labels: labelProblem(values.labels),
    object_name: values.object_name ? null : "must be given",
    ...Object.fromEntries(headers),
  };
}

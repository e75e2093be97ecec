/** A service's settings as a form holds them, and as the API takes them. Pure. */
import type { ServiceDetail, ServiceUpdate } from "@/api/schema";
import { labelsOf, textsOf } from "@/components/labels";
import { certificatesOf, type Doors, jwtBody, jwtOf } from "./doors";
import { fields } from "./fields";

export type Values = Record<string, unknown> & Doors & { labels: string[]; version: string; deployment: string };

export function valuesOf(service: ServiceDetail): Values {
  return {
    ...Object.fromEntries(fields.map(({ name }) => [name, service[name] ?? ""])),
    labels: textsOf(service.labels),
    deployment: service.deployment,
    version: service.version ?? "",
    cors: service.cors,
    jwt: jwtOf(service.jwt),
    client_certificates: certificatesOf(service.client_certificates),
  };
}

/** What the service is to become. Empty fields: null, which is "not set"; texts that may be empty stay so. */
export function wanted(values: Values, before: ServiceDetail): ServiceUpdate {
  const plain = fields.map(({ name }) => {
    const value = values[name];
    return [name, value === "" && typeof before[name] !== "string" ? null : value];
  });
  return {
    ...Object.fromEntries(plain),
    labels: labelsOf(values.labels),
    deployment: values.deployment,
    version: values.version === "" ? null : values.version,
    cors: values.cors,
    jwt: jwtBody(values.jwt),
    client_certificates: values.client_certificates,
  } as ServiceUpdate;
}

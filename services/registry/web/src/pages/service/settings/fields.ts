/** The settings of a service as a form shows them: in groups, each with a label, what it does, and its kind. */
import type { ServiceDetail } from "@/api/schema";

export type Kind = "text" | "number" | "switch" | "choice" | "list";

export interface Field {
  name: keyof ServiceDetail & string;
  kind: Kind;
  label: string;
  says?: string;
  unit?: string;
  empty?: string; // what it means when nothing is set
  words?: Record<string, string>; // choices in words
}

export interface FieldGroup {
  title: string;
  says?: string;
  fields: Field[];
}

export const groups: FieldGroup[] = [
  {
    title: "General",
    fields: [
      { name: "name", kind: "text", label: "Name", says: "The address does not depend on it" },
      { name: "description", kind: "text", label: "Description" },
      { name: "port", kind: "number", label: "Port", says: "Where the instances listen" },
    ],
  },
  {
    title: "Ways in",
    fields: [
      { name: "authentication_required", kind: "switch", label: "Callers need to say who they are" },
      { name: "authentication_method_token_enabled", kind: "switch", label: "Tokens are a way in" },
      {
        name: "browser_sign_in",
        kind: "switch",
        label: "People sign in with their browser",
        says: "A browser without a session is led to the sign-in page",
      },
      {
        name: "authentication_header_pass_through",
        kind: "switch",
        label: "Hand the Authorization header on",
        says: "The application then sees its callers' tokens",
      },
      {
        name: "ip_allow",
        kind: "list",
        label: "Only from these networks",
        empty: "from everywhere",
        says: "Like 10.0.0.0/8",
      },
      { name: "ip_deny", kind: "list", label: "Never from these networks", empty: "none" },
    ],
  },
  {
    title: "Which instance answers",
    fields: [
      {
        name: "balancing",
        kind: "choice",
        label: "Balancing",
        words: {
          least_of_two: "The less busy of two at random",
          round_robin: "One after the other",
          least_in_flight: "The least busy",
          affinity: "The same for a session",
        },
      },
      { name: "affinity", kind: "text", label: "Session by", empty: "not set", says: "header:<name> or cookie:<name>" },
      { name: "cache_aware_llm_routing", kind: "switch", label: "Prefer the instance that has a prompt cached" },
      {
        name: "instance_concurrency_limit",
        kind: "number",
        label: "Requests at once, each instance",
        empty: "no limit",
      },
      { name: "instance_max_wait", kind: "number", label: "Wait for a free instance at most", unit: "s" },
      {
        name: "slow_start",
        kind: "number",
        label: "Slow start",
        unit: "s",
        says: "Until an instance that became healthy gets its whole share",
      },
    ],
  },
  {
    title: "How long and how much",
    fields: [
      { name: "connect_timeout", kind: "number", label: "Connecting", unit: "s", empty: "the installation's" },
      {
        name: "first_byte_timeout",
        kind: "number",
        label: "First byte of an answer",
        unit: "s",
        empty: "the installation's",
      },
      {
        name: "idle_timeout",
        kind: "number",
        label: "Silence within an answer",
        unit: "s",
        empty: "the installation's",
      },
      { name: "total_timeout", kind: "number", label: "The whole answer", unit: "s", empty: "no limit" },
      {
        name: "max_body_bytes",
        kind: "number",
        label: "Largest request body",
        unit: "bytes",
        empty: "the installation's",
      },
    ],
  },
  {
    title: "Limits",
    says: "The numbers are under Access and limits.",
    fields: [
      {
        name: "limit_policy",
        kind: "choice",
        label: "Above a limit",
        words: { enforce: "Refuse with 429", observe: "Let pass, and count" },
      },
      { name: "limit_max_wait_ms", kind: "number", label: "Wait before refusing", unit: "ms" },
      {
        name: "limit_when_unknown",
        kind: "choice",
        label: "When counts cannot be asked for",
        words: { open: "Let pass", closed: "Refuse" },
      },
    ],
  },
  {
    title: "Request log",
    fields: [
      {
        name: "request_logging_sample",
        kind: "number",
        label: "Share of requests to log",
        says: "1: all of them; 0: none",
      },
      { name: "request_logging_max_body", kind: "number", label: "Keep of a body", unit: "bytes" },
      { name: "request_logging_excluded_paths", kind: "text", label: "Not these paths", says: "A regular expression" },
      { name: "request_logging_excluded_extensions", kind: "list", label: "Not these extensions", empty: "none" },
      { name: "request_logging_redact_headers", kind: "list", label: "Hide these headers", empty: "the usual ones" },
      { name: "request_logging_redact_fields", kind: "list", label: "Hide these fields of bodies", empty: "none" },
    ],
  },
];

export const fields: Field[] = groups.flatMap((group) => group.fields);

export const labels: Record<string, string> = {
  ...Object.fromEntries(fields.map(({ name, label }) => [name, label])),
  labels: "Labels",
  deployment: "Deployment",
  version: "Version",
  cors: "Pages of other origins",
  "cors.origins": "Pages of other origins: origins",
  "cors.credentials": "Pages of other origins: with cookies",
  jwt: "JSON Web Tokens",
  "jwt.issuer": "JSON Web Tokens: issuer",
  "jwt.audience": "JSON Web Tokens: audience",
  "jwt.keys_url": "JSON Web Tokens: keys",
  "jwt.user_claim": "JSON Web Tokens: caller's name",
  "jwt.required_claims": "JSON Web Tokens: claims that must be there",
  "jwt.roles": "JSON Web Tokens: roles by claims",
  client_certificates: "Client certificates",
  "client_certificates.authorities": "Client certificates: authorities",
  "client_certificates.user": "Client certificates: caller's name",
  "client_certificates.names": "Client certificates: only who is called so",
};

/** Settings with settings in them: what differs in one is shown one by one. */
export const nested = ["cors", "jwt", "client_certificates"];

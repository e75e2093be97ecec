/**
 * Asks the API: every operation by its name in the OpenAPI document, `ask("GET /projects/{project}/services", …)`.
 *
 * The session is a cookie that no script can read. What changes something carries a header that only our own pages can
 * send, which is what keeps other sites' forms out.
 */
import { reached, unreachable } from "./connection";
import { ApiProblem, AWAY } from "./problem";
import type { Operations } from "./schema";

export const PREFIX = "/v2.1";

export type Operation = keyof Operations;
export type Reading = Extract<Operation, `GET ${string}`>;
export type Changing = Exclude<Operation, Reading>;
export type Answer<O extends Operation> = Operations[O]["answer"];

type None = Record<string, never>;
type Part<Name extends string, T> = keyof T extends never ? { [N in Name]?: None } : { [N in Name]: T };
type Optional<Name extends string, T> = object extends T ? { [N in Name]?: T } : { [N in Name]: T };
type Body<T> = [T] extends [undefined] ? { body?: undefined } : undefined extends T ? { body?: T } : { body: T };

/** What an operation has to be told: names in its path, its query, its body. */
export type Input<O extends Operation> = Part<"path", Operations[O]["path"]> &
  Optional<"query", Operations[O]["query"]> &
  Body<Operations[O]["body"]>;

export interface Asking {
  signal?: AbortSignal;
  ifMatch?: string; // change only the revision with this ETag
}

export interface Answered<T> {
  answer: T;
  etag: string;
  requestId: string;
}

interface Loose {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
}

let onSignedOut: () => void = () => {};

/** Called when the API says that nobody is signed in (any more). */
export function whenSignedOut(then: () => void): void {
  onSignedOut = then;
}

export async function ask<O extends Operation>(operation: O, input: Input<O>, asking: Asking = {}): Promise<Answer<O>> {
  return (await askFully(operation, input, asking)).answer;
}

/** The answer together with its revision. */
export async function askFully<O extends Operation>(
  operation: O,
  input: Input<O>,
  asking: Asking = {},
): Promise<Answered<Answer<O>>> {
  const { path, query, body } = input as Loose;
  const [method, template] = split(operation);
  const response = await sent(method, url(template, path, query), body, asking);
  const requestId = response.headers.get("x-request-id") ?? "";
  if (!response.ok) throw await problem(response, requestId);
  const text = response.status === 204 ? "" : await response.text();
  return { answer: text ? JSON.parse(text) : undefined, etag: response.headers.get("etag") ?? "", requestId };
}

/** The address of an operation; names are escaped, so none can lead elsewhere. */
export function url(template: string, path: Record<string, unknown> = {}, query: Record<string, unknown> = {}): string {
  const place = template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(path[name])));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") search.set(name, String(value));
  }
  return `${PREFIX}${place}${search.size ? `?${search}` : ""}`;
}

function split(operation: string): [string, string] {
  const at = operation.indexOf(" ");
  return [operation.slice(0, at), operation.slice(at + 1)];
}

async function sent(method: string, to: string, body: unknown, { signal, ifMatch }: Asking): Promise<Response> {
  const headers = new Headers({ Accept: "application/json" });
  if (method !== "GET") headers.set("X-Narthex-App", "1");
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (ifMatch) headers.set("If-Match", ifMatch);
  try {
    const response = await fetch(to, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    reached();
    return response;
  } catch (error) {
    if (signal?.aborted) throw error;
    unreachable();
    throw new ApiProblem(0, "unreachable", AWAY, "");
  }
}

async function problem(response: Response, requestId: string): Promise<ApiProblem> {
  const said = await response.json().catch(() => ({}));
  const sentence = typeof said?.error === "string" ? said.error : `the registry answered ${response.status}`;
  const wait = Number(response.headers.get("retry-after"));
  if (response.status === 401) onSignedOut();
  return new ApiProblem(response.status, String(said?.code ?? ""), sentence, requestId, wait > 0 ? wait : null);
}

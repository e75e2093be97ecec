/**
 * Asks the API: every operation by its name in the OpenAPI document, `ask("GET /projects/{project}/services", …)`.
 *
 * The session is a cookie that no script can read. What changes something carries a header that only our own pages can
 * send, which is what keeps other sites' forms out.
 */
import { doubted, reached, unreachable } from "./connection";
import { ApiProblem, asProblem, unanswered } from "./problem";
import type { Operations } from "./schema";

export const PREFIX = "/v2.1";
const SLOW_MS = 3000; // then it is looked whether the registry answers at all
const READ_WITHIN_MS = 30_000;
const CHANGE_WITHIN_MS = 120_000; // some wait for an instance, a minute as a rule

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
  total: number | null; // of a list that is cut into pages: how many there are on all of them
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

/** The answer together with what its headers say. */
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
  const text = response.status === 204 ? "" : await wholeOf(response, method);
  const total = response.headers.get("x-total-count");
  return {
    answer: text ? JSON.parse(text) : undefined,
    etag: response.headers.get("etag") ?? "",
    requestId,
    total: total === null ? null : Number(total),
  };
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

/** Why an address that should give a stream does not: a browser's EventSource does not tell. Null: it does now. */
export async function whyNoStream(to: string): Promise<ApiProblem | null> {
  const looked = new AbortController();
  try {
    const response = await sent("GET", to, undefined, { signal: looked.signal });
    return response.ok ? null : await problem(response, response.headers.get("x-request-id") ?? "");
  } catch (error) {
    return asProblem(error);
  } finally {
    looked.abort();
  }
}

async function sent(method: string, to: string, body: unknown, { signal, ifMatch }: Asking): Promise<Response> {
  const within = AbortSignal.timeout(method === "GET" ? READ_WITHIN_MS : CHANGE_WITHIN_MS);
  const slow = setTimeout(doubted, SLOW_MS);
  const headers = new Headers({ Accept: "application/json" });
  if (method !== "GET") headers.set("X-Narthex-App", "1");
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (ifMatch) headers.set("If-Match", ifMatch);
  try {
    const response = await fetch(to, {
      method,
      headers,
      signal: signal ? AbortSignal.any([signal, within]) : within,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    reached();
    return response;
  } catch (error) {
    if (signal?.aborted) throw error;
    if (within.aborted) doubted();
    else unreachable();
    throw unanswered(method !== "GET");
  } finally {
    clearTimeout(slow);
  }
}

async function wholeOf(response: Response, method: string): Promise<string> {
  try {
    return await response.text();
  } catch {
    throw unanswered(method !== "GET"); // it broke off
  }
}

async function problem(response: Response, requestId: string): Promise<ApiProblem> {
  const said = await response.json().catch(() => ({}));
  const sentence = typeof said?.error === "string" ? said.error : `the registry answered ${response.status}`;
  const wait = Number(response.headers.get("retry-after"));
  if (response.status === 401) onSignedOut();
  return new ApiProblem(response.status, String(said?.code ?? ""), sentence, requestId, wait > 0 ? wait : null);
}

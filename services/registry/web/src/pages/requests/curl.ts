/** The same request again, as a curl command to be pasted. Pure. Credentials never stand in it. */
import { asText, decoded, type Header } from "./contents";

export interface Replayed {
  endpoint: string;
  method: string;
  path: string;
  query: string;
  headers: Header[];
  body: string; // in base64, as it is stored
  token: boolean; // callers need one
  rootCertificate: string; // a file, where nobody trusts the certificate by themselves; else empty
}

// What curl writes by itself, what belonged to that connection, and what routers add.
const LEFT_OUT =
  /^(host|content-length|connection|keep-alive|transfer-encoding|te|upgrade|accept-encoding|expect|forwarded|x-request-id|authorization|cookie|x-forwarded-.*)$/i;
const UNUSUAL = /[[\]{}]|\/\.\.?(\/|$)/;
const HIDDEN = "[redacted]";

export function curl({ endpoint, method, path, query, headers, body, token, rootCertificate }: Replayed): string {
  const bytes = decoded(body);
  const text = asText(bytes);
  const kept = headers.filter(([name, value]) => !LEFT_OUT.test(name) && !value.includes(HIDDEN));
  return [
    method === "GET" && bytes.length === 0 ? "curl" : method === "HEAD" ? "curl --head" : `curl -X ${asMethod(method)}`,
    UNUSUAL.test(path + query) && "--globoff --path-as-is", // curl reads [] and {} as patterns, and resolves /../
    rootCertificate && `--cacert ${rootCertificate}`,
    token && '-H "Authorization: Token $NARTHEX_TOKEN"',
    ...kept.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    bytes.length > 0 && (text === null ? "--data-binary @body" : `--data-raw ${quoted(text)}`),
    quoted(endpoint.replace(/\/$/, "") + path + (query ? `?${query}` : "")),
  ]
    .filter(Boolean)
    .join(" \\\n  ");
}

/** Any token is a method, and a token may have `, $, & and |. */
function asMethod(method: string): string {
  return /^[A-Z]+$/.test(method) ? method : quoted(method);
}

/** For a POSIX shell: in single quotes nothing means anything but the quote itself. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

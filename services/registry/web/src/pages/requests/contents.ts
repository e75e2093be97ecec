/** Headers and bodies of a recorded request, as texts to be read. Pure. All of it came from outside. */

export type Header = [name: string, value: string];

export interface Body {
  text: string;
  kind: "json" | "text" | "binary" | "empty";
  bytes: number;
}

const SHOWN = 200_000; // characters: a browser lays out no more of them at once
const HEX_BYTES = 512;

/** Headers are stored as a JSON list of pairs; what is none is no reason to show nothing. */
export function headersOf(stored: string): Header[] {
  if (!stored) return [];
  try {
    const pairs: unknown = JSON.parse(stored);
    if (!Array.isArray(pairs)) return [];
    return pairs.filter(Array.isArray).map(([name, value]) => [String(name), String(value)]);
  } catch {
    return [["(unreadable)", stored]];
  }
}

export function headerNamed(headers: Header[], name: string): string {
  return headers.find(([each]) => each.toLowerCase() === name)?.[1] ?? "";
}

/** A body, stored in base64: JSON with indents, text as it is, and the first bytes of anything else. */
export function bodyOf(stored: string): Body {
  const bytes = decoded(stored);
  if (bytes.length === 0) return { text: "", kind: "empty", bytes: 0 };
  const text = asText(bytes);
  if (text === null) return { text: hex(bytes), kind: "binary", bytes: bytes.length };
  const pretty = asJson(text);
  return { text: (pretty ?? text).slice(0, SHOWN), kind: pretty === null ? "text" : "json", bytes: bytes.length };
}

export function decoded(stored: string): Uint8Array {
  try {
    return Uint8Array.from(atob(stored), (character) => character.charCodeAt(0));
  } catch {
    return new TextEncoder().encode(stored);
  }
}

/** As UTF-8; a body that was cut may end within a character. */
export function asText(bytes: Uint8Array): string | null {
  for (const spare of [0, 1, 2, 3]) {
    try {
      const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, bytes.length - spare));
      return text.includes("\u0000") ? null : text;
    } catch {
      // one byte less
    }
  }
  return null;
}

function asJson(text: string): string | null {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

function hex(bytes: Uint8Array): string {
  const shown = Array.from(bytes.subarray(0, HEX_BYTES), (byte) => byte.toString(16).padStart(2, "0"));
  const lines = Array.from({ length: Math.ceil(shown.length / 16) }, (_, line) =>
    shown.slice(line * 16, line * 16 + 16).join(" "),
  );
  return bytes.length > HEX_BYTES ? `${lines.join("\n")}\n…` : lines.join("\n");
}

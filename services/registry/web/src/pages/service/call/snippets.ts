/** How to call a service, to be pasted. Pure. The token never stands in them: it is taken from the environment. */

export interface Snippet {
  value: string;
  label: string;
  text: string;
}

export interface Called {
  endpoint: string; // ends with a slash
  token: boolean; // callers need one
  rootCertificate: boolean; // signed by this installation's own authority, which nobody knows by itself
}

export const CA = ".narthex/ca/root.pem";

export function snippets(called: Called): Snippet[] {
  return [
    { value: "curl", label: "curl", text: curl(called) },
    { value: "python", label: "Python", text: python(called) },
    { value: "openai", label: "OpenAI client", text: openai(called) },
  ];
}

function curl({ endpoint, token, rootCertificate }: Called): string {
  return [
    "curl",
    rootCertificate && `--cacert ${CA}`,
    token && '-H "Authorization: Token $NARTHEX_TOKEN"',
    `'${endpoint}'`,
  ]
    .filter(Boolean)
    .join(" \\\n  ");
}

function python({ endpoint, token, rootCertificate }: Called): string {
  const options = [
    token && 'headers={"Authorization": f"Token {os.environ[\'NARTHEX_TOKEN\']}"},',
    rootCertificate && `verify="${CA}",`,
    "timeout=60,",
  ].filter(Boolean);
  return [
    ...(token ? ["import os", ""] : []),
    "import requests",
    "",
    "answer = requests.get(",
    `    "${endpoint}",`,
    ...options.map((line) => `    ${line}`),
    ")",
    "answer.raise_for_status()",
    "print(answer.text)",
  ].join("\n");
}

/** OpenAI's client sends `Authorization: Bearer`, which routers take for a token, too. */
function openai({ endpoint, token, rootCertificate }: Called): string {
  return [
    ...(token ? ["import os", ""] : []),
    ...(rootCertificate ? ["import httpx"] : []),
    "from openai import OpenAI",
    "",
    "client = OpenAI(",
    `    base_url="${endpoint}v1",`,
    token ? '    api_key=os.environ["NARTHEX_TOKEN"],' : '    api_key="none is needed",',
    ...(rootCertificate ? [`    http_client=httpx.Client(verify="${CA}"),`] : []),
    ")",
    "stream = client.chat.completions.create(",
    '    model="MODEL",',
    '    messages=[{"role": "user", "content": "Hello"}],',
    "    stream=True,",
    ")",
    "for chunk in stream:",
    '    print(chunk.choices[0].delta.content or "", end="")',
  ].join("\n");
}

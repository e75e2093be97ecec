/** Labels as people type them, `name:value`. Pure. */

export function labelsOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf(":");
      return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
    }),
  );
}

export function textsOf(labels: Record<string, string>): string[] {
  return Object.entries(labels).map(([name, value]) => `${name}:${value}`);
}

export function labelProblem(texts: readonly string[]): string | null {
  const wrong = texts.find((text) => !/^[^:]+:.+$/.test(text));
  return wrong === undefined ? null : `${wrong}: must be name:value`;
}

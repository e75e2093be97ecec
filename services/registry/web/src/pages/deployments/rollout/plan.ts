/** What a rollout is asked to do, from a form's values; and what is offered of one that is under way. Pure. */
import { broken, ruleOf } from "@/api/rule";
import type { RolloutCreate, RolloutDetail } from "@/api/schema";

type Numeric = number | string; // "" where nothing is set

export interface Values {
  version: string;
  steps: { weight: Numeric; hold_s: Numeric }[];
  max_error_percent: Numeric;
  max_p95_ms: Numeric;
  min_requests: Numeric;
  sticky: string;
}

export const USUAL: Values = {
  version: "",
  steps: [
    { weight: 5, hold_s: 120 },
    { weight: 25, hold_s: 300 },
    { weight: 50, hold_s: 300 },
  ],
  max_error_percent: 5,
  max_p95_ms: "",
  min_requests: 20,
  sticky: "",
};

export function asBody(values: Values): RolloutCreate {
  const { max_error_percent: errors, max_p95_ms: p95, min_requests: least } = values;
  return {
    version: values.version,
    steps: values.steps.map(({ weight, hold_s }) => ({
      weight: Number(weight),
      hold_s: hold_s === "" ? null : Number(hold_s),
    })),
    gates: {
      max_error_rate: errors === "" ? null : Number(errors) / 100,
      max_p95_ms: p95 === "" ? null : Number(p95),
      ...(least !== "" && { min_requests: Number(least) }),
    },
    sticky: values.sticky || null,
  };
}

export function problems(values: Values): Record<string, string | null> {
  const steps = values.steps.flatMap(({ weight, hold_s }, number) => [
    [
      `steps.${number}.weight`,
      weight === "" ? "must be given" : broken(ruleOf("RolloutStep", "weight"), weight),
    ] as const,
    [`steps.${number}.hold_s`, broken(ruleOf("RolloutStep", "hold_s"), hold_s)] as const,
  ]);
  const share = Number(values.max_error_percent);
  return {
    version: values.version ? null : "must be given",
    max_error_percent: share >= 0 && share <= 100 ? null : "must be between 0 and 100",
    max_p95_ms: broken(ruleOf("RolloutGates", "max_p95_ms"), values.max_p95_ms),
    min_requests: broken(ruleOf("RolloutGates", "min_requests"), values.min_requests),
    sticky: /^((header|cookie):.+)?$/.test(values.sticky) ? null : "must be header:<name> or cookie:<name>",
    ...Object.fromEntries(steps),
  };
}

export function isUnderWay({ state }: RolloutDetail): boolean {
  return state === "running" || state === "stopped";
}

/** "rolled_back" as people say it. */
export function inWords(state: string): string {
  return { running: "under way", stopped: "stopped", promoted: "done", rolled_back: "gone back" }[state] ?? state;
}

export function colorOf(state: string): string {
  return { running: "blue", stopped: "yellow", promoted: "green", rolled_back: "red" }[state] ?? "gray";
}

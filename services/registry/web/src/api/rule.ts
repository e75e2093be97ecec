/** The rules that the API has for a field, checked while somebody types, in the API's words. Pure. */
import type { ApiProblem } from "./problem";
import { rules } from "./rules";

export interface Rule {
  type?: string;
  required?: boolean;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  minLength?: number;
  maxLength?: number;
  maxItems?: number;
  pattern?: string;
  enum?: string[];
  rule?: string; // the sentence for `pattern`
}

export function ruleOf(model: string, field: string): Rule {
  return rules[model]?.[field] ?? {};
}

/** What is wrong with a value, or null. What is empty and not required is fine: it is not sent. */
export function broken(rule: Rule, value: unknown): string | null {
  if (value === "" || value === null || value === undefined) return rule.required ? "must be given" : null;
  if (typeof value === "number") return brokenNumber(rule, value);
  if (typeof value === "string") return brokenText(rule, value);
  if (Array.isArray(value) && rule.maxItems !== undefined && value.length > rule.maxItems) {
    return `must be at most ${rule.maxItems}`;
  }
  return null;
}

/** For Mantine's useForm: `validate: validating("ServiceCreate", ["name", "port"])`. */
export function validating<F extends string>(model: string, fields: readonly F[]) {
  return Object.fromEntries(
    fields.map((field) => [field, (value: unknown) => broken(ruleOf(model, field), value)]),
  ) as Record<F, (value: unknown) => string | null>;
}

function brokenNumber(rule: Rule, value: number): string | null {
  const { minimum, maximum, exclusiveMinimum } = rule;
  if (rule.type === "integer" && !Number.isInteger(value)) return "must be a whole number";
  const low = minimum ?? exclusiveMinimum;
  const fits =
    value <= (maximum ?? Infinity) && value >= (minimum ?? -Infinity) && value > (exclusiveMinimum ?? -Infinity);
  if (fits) return null;
  if (low !== undefined && maximum !== undefined) return `must be between ${low} and ${maximum}`;
  return maximum === undefined ? `must be at least ${low}` : `must be at most ${maximum}`;
}

function brokenText(rule: Rule, value: string): string | null {
  if (rule.minLength !== undefined && value.length < rule.minLength) {
    return `must have at least ${rule.minLength} characters`;
  }
  if (rule.maxLength !== undefined && value.length > rule.maxLength)
    return `must have at most ${rule.maxLength} characters`;
  if (rule.enum && !rule.enum.includes(value)) return `must be one of ${rule.enum.join(", ")}`;
  if (rule.pattern && !new RegExp(rule.pattern).test(value)) return rule.rule ?? `must match ${rule.pattern}`;
  return null;
}

/** Whether a refusal names one of these fields. */
export function isAbout(problem: ApiProblem, fields: readonly string[]): boolean {
  return problem.field !== null && fields.includes(problem.field);
}

/** The API's refusal at the field that it names, and where within: `create.mutate(input, atField(form, FIELDS))`. */
export function atField(form: { setErrors: (errors: Record<string, string>) => void }, fields: readonly string[]) {
  return { onError: (problem: ApiProblem) => form.setErrors(fieldErrors(problem, fields)) };
}

function fieldErrors(problem: ApiProblem, fields: readonly string[]): Record<string, string> {
  if (problem.field === null || !isAbout(problem, fields)) return {};
  return { [problem.field]: problem.rule, [problem.place ?? problem.field]: problem.rule };
}

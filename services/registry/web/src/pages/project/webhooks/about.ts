import type { WebhookDetail } from "@/api/schema";
import { ANY } from "./values";

/** "all services", "deployment chat, version v1" */
export function about({ object_type: type, object_name: name, version }: WebhookDetail): string {
  if (name === ANY) return `all ${type}s`;
  return version ? `${type} ${name}, version ${version}` : `${type} ${name}`;
}

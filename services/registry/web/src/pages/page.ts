/** What a page is to the shell: where it stands, what loads it, and whom it is offered. */
import type { LucideIcon } from "lucide-react";
import type { ComponentType } from "react";
import type { DefaultParams } from "wouter";

export type Needs = string | "administrator"; // a permission held on anything in the project, or the installation's

export interface Page {
  path: string; // wouter's: "/projects/:project/services/:service/:tab?"
  load: () => Promise<{ default: ComponentType }>; // a chunk of its own
  ahead?: (params: DefaultParams) => void; // asks for what it shows while `load` is under way
  needs?: Needs;
  nav?: { label: string; icon: LucideIcon; group: string }; // in the navigation, under its group
}

/** Which project was open last in this browser: a name, nothing secret. */
import { useState } from "react";

const KEY = "narthex-project";

export function remembered(project: string): void {
  try {
    localStorage.setItem(KEY, project);
  } catch {
    // storage is forbidden: the first project is shown next time
  }
}

export function rememberedProject(): string {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

export function useRemembered(): string {
  const [project] = useState(rememberedProject);
  return project;
}

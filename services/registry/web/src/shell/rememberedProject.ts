/** Which project was open last: kept for as long as the app runs, and in this browser. A name, nothing secret. */

const KEY = "narthex-project";

let last = stored();

export function remembered(project: string): void {
  last = project;
  try {
    localStorage.setItem(KEY, project);
  } catch {
    // storage is forbidden: the first project is shown next time
  }
}

export function rememberedProject(): string {
  return last;
}

function stored(): string {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return "";
  }
}

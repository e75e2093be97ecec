/** Variables are the same thing at three levels of the API, each below a path of its own. Pure. */

export type Level = "project" | "deployment" | "version";

export interface Where {
  project: string;
  deployment?: string;
  version?: string;
}

const ROOTS: Record<Level, string> = {
  project: "/projects/{project}",
  deployment: "/projects/{project}/deployments/{deployment}",
  version: "/projects/{project}/deployments/{deployment}/versions/{version}",
};

interface Named {
  GET: "GET /projects/{project}/environment-variables";
  POST: "POST /projects/{project}/environment-variables";
  PATCH: "PATCH /projects/{project}/environment-variables/{id}";
  DELETE: "DELETE /projects/{project}/environment-variables/{id}";
}

/** The operation at a level: all take and answer what the project's does. */
export function operation<M extends keyof Named>(level: Level, method: M): Named[M] {
  const one = method === "PATCH" || method === "DELETE" ? "/{id}" : "";
  return `${method} ${ROOTS[level]}/environment-variables${one}` as Named[M];
}

import type { Page } from "../page";

export const pages: Page[] = [
  {
    path: "/projects/:project/services/:service/requests/:request",
    load: () => import("./RequestPage"),
    needs: "deployments.versions.requests.get",
  },
];

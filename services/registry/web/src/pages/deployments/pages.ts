import { Boxes } from "lucide-react";
import type { Page } from "../page";

export const pages: Page[] = [
  {
    path: "/projects/:project/deployments",
    load: () => import("./DeploymentsPage"),
    needs: "deployments.list",
    nav: { label: "Deployments", icon: Boxes, group: "Project" },
  },
  {
    path: "/projects/:project/deployments/:deployment/:tab?",
    load: () => import("./DeploymentPage"),
    needs: "deployments.get",
  },
  {
    path: "/projects/:project/deployments/:deployment/versions/:version/:tab?",
    load: () => import("./version/VersionPage"),
    needs: "deployments.versions.get",
  },
];

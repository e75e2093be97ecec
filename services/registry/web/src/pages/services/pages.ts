import { Waypoints } from "lucide-react";
import { askFirstPageAhead } from "@/api/pages";
import { askAhead } from "@/api/queries";
import type { Page } from "../page";
import { EVERY, LIST } from "./list";

export const pages: Page[] = [
  {
    path: "/projects/:project/services",
    load: () => import("./ServicesPage"),
    ahead: ({ project = "" }) => askFirstPageAhead(LIST, { path: { project }, query: EVERY }),
    needs: "services.list",
    nav: { label: "Services", icon: Waypoints, group: "Project" },
  },
  { path: "/projects/:project/services/new", load: () => import("./CreateServicePage"), needs: "services.create" },
  {
    path: "/projects/:project/services/:service/:tab?",
    load: () => import("../service/ServicePage"),
    ahead: ({ project = "", service = "" }) =>
      askAhead("GET /projects/{project}/services/{service}", { path: { project, service } }),
    needs: "services.get",
  },
];

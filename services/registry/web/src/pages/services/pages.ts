import { Waypoints } from "lucide-react";
import type { Page } from "../page";

export const pages: Page[] = [
  {
    path: "/projects/:project/services",
    load: () => import("./ServicesPage"),
    needs: "services.list",
    nav: { label: "Services", icon: Waypoints, group: "Project" },
  },
  { path: "/projects/:project/services/new", load: () => import("./CreateServicePage"), needs: "services.create" },
  {
    path: "/projects/:project/services/:service/:tab?",
    load: () => import("../service/ServicePage"),
    needs: "services.get",
  },
];

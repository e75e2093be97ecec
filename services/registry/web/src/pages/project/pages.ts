import { Bot, History, KeyRound, Users, Variable, Webhook } from "lucide-react";
import type { Page } from "../page";

const group = "Project";

export const pages: Page[] = [
  {
    path: "/projects/:project/members",
    load: () => import("./members/MembersPage"),
    needs: "projects.users.list",
    nav: { label: "Members", icon: Users, group },
  },
  {
    path: "/projects/:project/roles/:role?",
    load: () => import("./roles/RolesPage"),
    needs: "roles.list",
    nav: { label: "Roles", icon: KeyRound, group },
  },
  {
    path: "/projects/:project/service-users",
    load: () => import("./serviceUsers/ServiceUsersPage"),
    needs: "service_users.list",
    nav: { label: "Service users", icon: Bot, group },
  },
  {
    path: "/projects/:project/webhooks",
    load: () => import("./webhooks/WebhooksPage"),
    needs: "webhooks.list",
    nav: { label: "Webhooks", icon: Webhook, group },
  },
  {
    path: "/projects/:project/webhooks/:webhook",
    load: () => import("./webhooks/WebhookPage"),
    needs: "webhooks.get",
  },
  {
    path: "/projects/:project/variables",
    load: () => import("./variables/VariablesPage"),
    needs: "projects.get",
    nav: { label: "Variables", icon: Variable, group },
  },
  {
    path: "/projects/:project/audit",
    load: () => import("./audit/AuditPage"),
    needs: "audit.list",
    nav: { label: "Audit trail", icon: History, group },
  },
];

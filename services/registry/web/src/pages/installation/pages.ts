import { MailWarning, ServerCog } from "lucide-react";
import type { Page } from "../page";

const group = "Installation";
const needs = "administrator";

export const pages: Page[] = [
  {
    path: "/installation",
    load: () => import("./InstallationPage"),
    needs,
    nav: { label: "State", icon: ServerCog, group },
  },
  {
    path: "/dead-letters",
    load: () => import("./deadLetters/DeadLettersPage"),
    needs,
    nav: { label: "Dead letters", icon: MailWarning, group },
  },
];

/** All pages, in the order in which the navigation shows them and paths are tried. */
import { pages as account } from "./account/pages";
import { pages as deployments } from "./deployments/pages";
import { pages as installation } from "./installation/pages";
import type { Page } from "./page";
import { pages as project } from "./project/pages";
import { pages as requests } from "./requests/pages";
import { pages as services } from "./services/pages";

export const pages: Page[] = [...services, ...requests, ...deployments, ...project, ...installation, ...account];

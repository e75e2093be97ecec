import type { Page } from "../page";

export const pages: Page[] = [{ path: "/account", load: () => import("./AccountPage") }];

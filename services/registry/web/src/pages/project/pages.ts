import type { Page } from "../page";

export const pages: Page[] = [];

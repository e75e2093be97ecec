/** Starts the app: what surrounds all pages, and the nonce that the registry gave this answer for styles. */
import "./shell/mantine.css";
import "./shell/shell.css";
import { MantineProvider } from "@mantine/core";
import { QueryClientProvider } from "@tanstack/react-query";
import { setNonce } from "get-nonce";
import { StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { queries } from "./api/queries";
import { showTips } from "./components/tips";
import { App } from "./shell/App";
import { startAhead } from "./shell/ahead";
import { whenDrawn } from "./shell/chunk";
import { theme, variables } from "./shell/theme";

startAhead();
const Notices = whenDrawn(() => import("./shell/Notices"));
const nonce = document.querySelector<HTMLMetaElement>("meta[property=csp-nonce]")?.nonce ?? "";
setNonce(nonce); // for the style that keeps the page from scrolling behind a dialog
const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
showTips();

createRoot(root).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <Suspense>
        <Notices />
      </Suspense>
      <QueryClientProvider client={queries}>
        <App />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);

// Builds into what the registry serves; `npm run dev` asks a registry on NARTHEX_API (port 8000 of this machine).
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const OUT = join(import.meta.dirname, "..", "narthex_registry", "web_dist");
const API = process.env.NARTHEX_API ?? "http://127.0.0.1:8000";
// Two files have all that the first page needs: what starts, and what is drawn. Others load what they have besides.
const START = { name: "start", tags: ["$initial" as const], priority: 2 };
const FIRST = { name: "first", test: /src\/(shell\/Shell|pages\/services\/ServicesPage)\.tsx$/, priority: 1 };
const SMALL = 1024; // below, headers cost more than is saved

/** Writes .br and .gz beside what compresses, once and well, so that the registry need not. */
function compressed(): Plugin {
  let out = OUT;
  return {
    name: "compressed",
    apply: "build",
    configResolved: ({ root, build }) => {
      out = resolve(root, build.outDir);
    },
    closeBundle() {
      for (const file of readdirSync(out, { recursive: true, encoding: "utf8" })) {
        if (!/\.(js|css|svg)$/.test(file)) continue;
        const content = readFileSync(join(out, file));
        if (content.length < SMALL) continue;
        writeFileSync(join(out, `${file}.br`), brotliCompressSync(content));
        writeFileSync(join(out, `${file}.gz`), gzipSync(content, { level: 9 }));
      }
    },
  };
}

/** Names the file of the first page in index.html: else a browser learns of it when it has run the others. */
function preloaded(): Plugin {
  return {
    name: "preloaded",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler: (_, { bundle = {} }) => {
        const first = Object.values(bundle).find((each) => each.type === "chunk" && each.name === FIRST.name);
        if (!first) throw new Error(`there is no chunk ${FIRST.name}`);
        return [{ tag: "link", attrs: { rel: "modulepreload", crossorigin: true, href: `/${first.fileName}` } }];
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), preloaded(), compressed()],
  resolve: { alias: { "@": join(import.meta.dirname, "src") } },
  html: { cspNonce: "__CSP_NONCE__" }, // the registry puts a fresh one there for each answer
  build: {
    outDir: OUT,
    emptyOutDir: true,
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    target: "es2023",
    chunkSizeWarningLimit: 900,
    rolldownOptions: { output: { codeSplitting: { groups: [START, FIRST] } } },
  },
  server: { proxy: { "/v2.1": { target: API, changeOrigin: false } } },
});

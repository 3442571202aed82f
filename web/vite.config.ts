import { readFileSync } from "node:fs";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { hlsDefine, hlsFromSources } from "./hls.build";

/** The API's address for `npm run dev` and `npm run preview`; in production the gateway serves both from one origin. */
const api = process.env["MARQUEE_PUBLIC_URL"] ?? "http://127.0.0.1:8400";
const { version } = JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")) as { version: string };
const proxy = { "/api": { target: api, changeOrigin: true } };

/** The bundle for browsers of the version in the lock. The API's page at /schema/scalar loads it from here. */
const scalar: Plugin = {
  name: "scalar",
  generateBundle() {
    const source = readFileSync(new URL("node_modules/@scalar/api-reference/dist/browser/standalone.js", import.meta.url));
    this.emitFile({ type: "asset", fileName: "scalar/standalone.js", source });
  },
};

/** The views' chunk is fetched with the page's first script, not after it. */
const preloadViews: Plugin = {
  name: "preload-views",
  transformIndexHtml: {
    order: "post",
    handler(_html, { bundle }) {
      const views = Object.values(bundle ?? {}).find((one) => one.type === "chunk" && one.moduleIds.some((id) => id.endsWith("/src/start.tsx")));
      if (bundle !== undefined && views === undefined) throw new Error("no chunk of src/start.tsx: the page would load its views late");
      return views === undefined ? [] : [{ tag: "link", attrs: { rel: "modulepreload", crossorigin: true, href: `/${views.fileName}` }, injectTo: "head" }];
    },
  },
};

export default defineConfig({
  plugins: [scalar, preloadViews, hlsFromSources],
  define: { ...hlsDefine, __CLIENT_VERSION__: JSON.stringify(version) },
  esbuild: { jsx: "automatic", jsxImportSource: "preact" },
  build: {
    target: "es2022",
    // Nothing inline: the pages run under a strict Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
  },
  server: { proxy },
  preview: { proxy },
  worker: { format: "es" },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});

import { defineConfig } from "vitest/config";

/** The API's address for `npm run dev` and `npm run preview`; in production the gateway serves both from one origin. */
const api = process.env["MARQUEE_PUBLIC_URL"] ?? "http://127.0.0.1:8400";
const proxy = { "/api": { target: api, changeOrigin: true } };

export default defineConfig({
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

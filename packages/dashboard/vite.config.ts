import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Where a Flock server runs while the dashboard is worked on: see scripts/dev.ts. */
const server = process.env.FLOCK_URL ?? "http://127.0.0.1:8000";

/** While the dashboard is worked on, Vite puts scripts and styles into the page that the policy forbids. */
function policyOnlyWhenBuilt(): Plugin {
  return {
    name: "policy-only-when-built",
    apply: "serve",
    transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, ""),
  };
}

export default defineConfig({
  plugins: [react(), tailwindcss(), policyOnlyWhenBuilt()],
  build: {
    // The server serves it from here, and the published package contains it.
    outDir: "../flock/dashboard",
    emptyOutDir: true,
    // The policy of the page allows nothing but files.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2_000,
  },
  server: {
    proxy: {
      "/plugin": { target: server, ws: true },
      "/api": server,
      "/dashboard-config.json": server,
    },
  },
});

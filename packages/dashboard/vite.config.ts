import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
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

/** Smaller files go in one packet anyway; bytes. */
const WORTH_COMPRESSING = 1_024;

/** Lays compressed files beside those that are text, so that the server has nothing to compress. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    writeBundle({ dir = "" }) {
      for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
        const file = join(dir, name);
        if (!/\.(js|css|html|svg|json)$/.test(name) || statSync(file).size < WORTH_COMPRESSING) continue;
        const bytes = readFileSync(file);
        writeFileSync(`${file}.br`, brotliCompressSync(bytes));
        writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), tailwindcss(), policyOnlyWhenBuilt(), compressed()],
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
      "/metrics": server,
      "/dashboard-config.json": server,
    },
  },
});

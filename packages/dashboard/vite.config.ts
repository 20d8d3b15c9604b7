import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** The Flock server to use during development; see scripts/dev.ts. */
const server = process.env.FLOCK_URL ?? "http://127.0.0.1:8000";

/** During development, Vite inlines scripts and styles, which the policy forbids. */
function policyOnlyWhenBuilt(): Plugin {
  return {
    name: "policy-only-when-built",
    apply: "serve",
    transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, ""),
  };
}

/** The smallest file to compress, in bytes. Smaller ones fit in one packet. */
const WORTH_COMPRESSING = 1_024;

/** Writes compressed copies of text files, so that the server need not compress them. */
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
  // Relative, so that a proxy can serve the dashboard under any path.
  base: "./",
  plugins: [react(), tailwindcss(), policyOnlyWhenBuilt(), compressed()],
  build: {
    // The server serves it from here, and the published package contains it.
    outDir: "../flock/dashboard",
    emptyOutDir: true,
    // The page's policy allows files only.
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

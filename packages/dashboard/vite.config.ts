import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

/** Where a Flock server runs while the dashboard is worked on: see scripts/dev.ts. */
const server = process.env.FLOCK_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    // The server serves it from here, and the published package contains it.
    outDir: "../flock/dashboard",
    emptyOutDir: true,
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

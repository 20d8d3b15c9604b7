// Builds the packages that are published, each into `packages/NAME/dist`: one module per source module in `lib/`,
// declarations, source maps for both, and a manifest for the registry.
import { cpSync, existsSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { defineConfig, type UserConfig } from "tsdown";
import { built, distOf, type PackageFolder, PUBLISHED, readManifest } from "./scripts/packages.ts";

const ROOT = import.meta.dirname;

export default defineConfig(PUBLISHED.map(packageConfig));

function packageConfig(folder: PackageFolder): UserConfig {
  const manifest = readManifest(folder);
  const dist = distOf(folder);
  return {
    name: manifest.name,
    cwd: join(ROOT, "packages", folder),
    entry: Object.values(manifest.exports),
    outDir: "dist/lib",
    clean: ["dist"],
    root: "src",
    platform: folder === "flock" ? "node" : "neutral",
    target: "es2024",
    unbundle: true,
    fixedExtension: false,
    hash: false,
    dts: { sourcemap: true, tsconfig: join(ROOT, "tsconfig.build.json") },
    sourcemap: true,
    tsconfig: join(ROOT, "tsconfig.build.json"),
    logLevel: "warn",
    failOnWarn: true,
    inputOptions: { checks: { pluginTimings: false } },
    // The published `src/` is next to `lib/`, one folder closer than in the workspace.
    outputOptions: { sourcemapPathTransform: (path) => path.replace(/^\.\.\//, "") },
    hooks: { "build:done": () => addFiles(folder, dist) },
  };
}

/** Adds what a package has besides its modules. */
function addFiles(folder: PackageFolder, dist: string): void {
  const { private: _, devDependencies: __, scripts: ___, ...manifest } = readManifest(folder);
  const files = ["lib", "src", ...(folder === "flock" ? ["dashboard"] : [])];
  const exports = Object.fromEntries(
    Object.entries(manifest.exports).map(([subpath, source]) => [
      subpath,
      { types: built(source, ".d.ts"), default: built(source, ".js") },
    ]),
  );
  writeFileSync(join(dist, "package.json"), `${JSON.stringify({ ...manifest, exports, files }, null, 2)}\n`);
  cpSync(join(ROOT, "packages", folder, "src"), join(dist, "src"), { recursive: true, filter: isPublished });
  cpSync(join(ROOT, "packages", folder, "README.md"), join(dist, "README.md"));
  cpSync(join(ROOT, "LICENSE"), join(dist, "LICENSE"));
  if (folder === "flock") copyDashboard(dist);
}

/** The server expects the dashboard next to the folder of its modules, `src/` or `lib/`. */
function copyDashboard(dist: string): void {
  const dashboard = join(ROOT, "packages/flock/dashboard");
  if (!existsSync(join(dashboard, "index.html"))) {
    throw new Error("failed to copy the dashboard: packages/flock/dashboard is not built. Run `npm run build`.");
  }
  cpSync(dashboard, join(dist, "dashboard"), { recursive: true, filter: isPublished });
}

function isPublished(file: string): boolean {
  return !/\.test(-d)?\.tsx?$/.test(file) && basename(file) !== ".built-from";
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./run.ts";

/** The part of `packages/NAME/package.json` that the build reads. */
interface Manifest extends Record<string, unknown> {
  readonly name: string;
  readonly version: string;
  /** Subpath to source module: inside the workspace, imports resolve to sources. */
  readonly exports: Readonly<Record<string, string>>;
}

/** A folder below `packages/` that is published. */
export type PackageFolder = "protocol" | "client" | "flock";

/** The published packages, dependencies first. */
export const PUBLISHED: readonly PackageFolder[] = ["protocol", "client", "flock"];

/** Returns the folder of a built package. */
export const distOf = (folder: PackageFolder): string => join(ROOT, "packages", folder, "dist");

export function readManifest(folder: PackageFolder): Manifest {
  return JSON.parse(readFileSync(join(ROOT, "packages", folder, "package.json"), "utf8"));
}

/** Returns the path of a source module's output, from the package's folder. */
export function built(source: string, extension: ".js" | ".d.ts"): string {
  return source.replace(/^\.\/src\//, "./lib/").replace(/\.tsx?$/, extension);
}

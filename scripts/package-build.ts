import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import ts from "typescript";
import { ROOT } from "./run.ts";

/** What `packages/NAME/package.json` says, as far as the build reads it. */
interface Manifest extends Record<string, unknown> {
  readonly name: string;
  /** Subpath to source module: in the workspace everyone imports the sources. */
  readonly exports: Readonly<Record<string, string>>;
}

/** A folder under `packages/` that is published. */
export type PackageFolder = "protocol" | "client" | "flock";

/** The published packages, each after those it depends on. */
export const PUBLISHED: readonly PackageFolder[] = ["protocol", "client", "flock"];

/** What goes to the registry, besides package.json, README and licence. */
const FILES: Record<PackageFolder, readonly string[]> = {
  protocol: ["lib"],
  client: ["lib"],
  flock: ["lib", "dashboard"],
};

/** Where a built package stands. */
export const distOf = (folder: PackageFolder): string => join(ROOT, "packages", folder, "dist");

/** The source files of everything that the published packages export. */
export function publishedModules(): string[] {
  return PUBLISHED.flatMap((folder) =>
    Object.values(readManifest(folder).exports).map((source) => join(ROOT, "packages", folder, source)),
  );
}

/**
 * Makes `packages/FOLDER/dist`: plain JavaScript and declarations in `lib/`, a `package.json` for the registry, the
 * README and the licence; with `flock` comes the dashboard. Packages it depends on must have been built before.
 * Gives the number of modules; throws with the compiler's messages when something is wrong, or without a dashboard.
 */
export function buildPackage(folder: PackageFolder): number {
  const dist = distOf(folder);
  rmSync(dist, { recursive: true, force: true });
  const modules = compile(folder);
  const manifest = { ...publishedManifest(readManifest(folder)), files: FILES[folder] };
  writeFileSync(join(dist, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  cpSync(join(ROOT, "packages", folder, "README.md"), join(dist, "README.md"));
  cpSync(join(ROOT, "LICENSE"), join(dist, "LICENSE"));
  if (folder === "flock") copyDashboard(dist);
  return modules;
}

/** The server looks for it beside `src/`, and so beside `lib/`. */
function copyDashboard(dist: string): void {
  const dashboard = join(ROOT, "packages/flock/dashboard");
  if (!existsSync(join(dashboard, "index.html"))) {
    throw new Error("the dashboard is not built (packages/flock/dashboard/index.html is missing): run `npm run build`");
  }
  cpSync(dashboard, join(dist, "dashboard"), {
    recursive: true,
    filter: (file) => basename(file) !== ".built-from",
  });
}

function readManifest(folder: PackageFolder): Manifest {
  return JSON.parse(readFileSync(join(ROOT, "packages", folder, "package.json"), "utf8"));
}

/** The same manifest with compiled modules, and without what concerns only this workspace. */
function publishedManifest({ private: _, devDependencies: __, scripts: ___, ...manifest }: Manifest): object {
  const exports = Object.entries(manifest.exports).map(([subpath, source]) => [
    subpath,
    { types: built(source, ".d.ts"), default: built(source, ".js") },
  ]);
  return { ...manifest, exports: Object.fromEntries(exports) };
}

function built(source: string, extension: ".js" | ".d.ts"): string {
  return source.replace(/^\.\/src\//, "./lib/").replace(/\.tsx?$/, extension);
}

function compile(folder: PackageFolder): number {
  const source = join(ROOT, "packages", folder, "src");
  const modules = readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => /\.tsx?$/.test(file) && !/(\.test(-d)?|\bcontract)\.tsx?$/.test(file))
    .map((file) => join(source, file));
  const options = compilerOptions(folder);
  const program = ts.createProgram(modules, options, hostOf(options));
  const emitted = program.emit(undefined, (file, text) => ts.sys.writeFile(file, importsOfJs(file, text)));
  const diagnostics = [...ts.getPreEmitDiagnostics(program), ...emitted.diagnostics];
  if (diagnostics.length > 0) {
    throw new Error(
      ts.formatDiagnostics(diagnostics, {
        getCurrentDirectory: () => ROOT,
        getCanonicalFileName: (file) => file,
        getNewLine: () => "\n",
      }),
    );
  }
  return modules.length;
}

/** The compiler rewrites `./x.ts` to `./x.js` in modules, and leaves declarations as they are. */
function importsOfJs(file: string, text: string): string {
  return file.endsWith(".d.ts") ? text.replace(/((?:from |import\()"\.[^"]*)\.tsx?"/g, '$1.js"') : text;
}

function compilerOptions(folder: PackageFolder): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.json"), ts.sys.readFile);
  const { incremental: _, tsBuildInfoFile: __, ...workspace } = config.compilerOptions;
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...workspace,
      noEmit: false,
      noEmitOnError: true,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      rootDir: "src",
      outDir: "dist/lib",
      // Against what the others publish, not against their sources: a declaration that is missing shows up here.
      paths: publishedTypes(),
    },
    join(ROOT, "packages", folder),
  );
  return options;
}

function publishedTypes(): Record<string, string[]> {
  const paths = PUBLISHED.flatMap((folder) => {
    const { name, exports } = readManifest(folder);
    return Object.entries(exports).map(([subpath, source]) => [
      name + subpath.slice(1),
      [join(distOf(folder), built(source, ".d.ts"))],
    ]);
  });
  return Object.fromEntries(paths);
}

const parsed = new Map<string, ts.SourceFile | undefined>();

/** A compiler host that reads the declarations of the platform and of dependencies once for all packages. */
function hostOf(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile;
  host.getSourceFile = (file, ...rest) => {
    if (!file.includes("/node_modules/")) return read(file, ...rest);
    if (!parsed.has(file)) parsed.set(file, read(file, ...rest));
    return parsed.get(file);
  };
  return host;
}

// Builds the publishable packages into packages/{protocol,client,flock}/dist and checks them: `publint` for the manifest,
// `@arethetypeswrong/core` for the declarations, and the client's size. Does nothing when no source has changed.
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { built, distOf, type PackageFolder, PUBLISHED, readManifest } from "./packages.ts";
import { ROOT, runAll } from "./run.ts";

/** The limit of the client without the React hook, in bytes after minification and gzip. */
const CLIENT_LIMIT = 6 * 1024;

/** How CommonJS and Node 10 resolve the packages, which are published as ES modules only. */
const IGNORED_RESOLUTIONS = ["node10", "node16-cjs"];

/** Subpaths that are about an optional package, and so may import its types. */
const NEEDS_OPTIONAL = new Set(["./engines/ai", "./testing", "./tools/mcp"]);

const stamp = join(ROOT, ".cache/packages.built-from");
const sources = digestOfSources();
if (PUBLISHED.every((folder) => existsSync(distOf(folder))) && existsSync(stamp)) {
  if (readFileSync(stamp, "utf8") === sources) {
    console.log("✓ packages are up to date");
    process.exit(0);
  }
}
if (!(await runAll([{ name: "packages/{protocol,client,flock}/dist", command: ["tsdown"] }]))) process.exit(1);
const faults = [
  ...(await Promise.all(PUBLISHED.flatMap((folder) => [manifestFaults(folder), typeFaults(folder)]))).flat(),
  ...PUBLISHED.flatMap(declarationFaults),
];
// The tools are loaded where they are used, so that a build without changes returns at once.
const { clientBytes } = await import("../packages/client/size.ts");
const bytes = await clientBytes();
if (bytes >= CLIENT_LIMIT) faults.push(`@flock-ts/client: ${bytes} bytes exceed the limit of ${CLIENT_LIMIT - 1}`);
for (const fault of faults) console.error(`✗ ${fault}`);
if (faults.length > 0) process.exit(1);
console.log(`✓ manifests and declarations; @flock-ts/client: ${bytes} of ${CLIENT_LIMIT} bytes, minified and gzipped`);
mkdirSync(dirname(stamp), { recursive: true });
writeFileSync(stamp, sources);

function digestOfSources(): string {
  const files = globSync(
    ["packages/{protocol,client,flock}/{src/**/*,package.json,README.md}", "packages/flock/dashboard/.built-from"],
    { cwd: ROOT },
  );
  const digest = createHash("sha256");
  for (const file of [
    "tsdown.config.ts",
    "tsconfig.json",
    "tsconfig.build.json",
    "package-lock.json",
    ...files,
  ].sort()) {
    const path = join(ROOT, file);
    if (statSync(path).isFile()) digest.update(file).update(readFileSync(path));
  }
  return digest.digest("hex");
}

async function manifestFaults(folder: PackageFolder): Promise<string[]> {
  const [{ publint }, { formatMessage }] = await Promise.all([import("publint"), import("publint/utils")]);
  const { messages, pkg } = await publint({ pkgDir: distOf(folder), pack: false, strict: true });
  return messages.map((message) => `publint: ${pkg.name}: ${formatMessage(message, pkg, { color: false })}`);
}

/** Finds declarations that import packages which users need not have: their `tsc` would fail without `skipLibCheck`. */
function declarationFaults(folder: PackageFolder): string[] {
  const { name, exports, dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = readManifest(folder);
  const dist = distOf(folder);
  const isInstalled = (wanted: string) =>
    (wanted in (dependencies as object) && existsSync(join(ROOT, "node_modules", wanted, "package.json"))
      ? hasTypes(wanted)
      : wanted in (peerDependencies as object) && !(wanted in (peerDependenciesMeta as object))) ||
    wanted.startsWith("node:") ||
    wanted.startsWith("@flock-ts/");
  return Object.entries(exports).flatMap(([subpath, source]) => {
    if (NEEDS_OPTIONAL.has(subpath)) return [];
    const seen = new Set<string>();
    const left = [join(dist, built(source, ".d.ts"))];
    const faults: string[] = [];
    for (let file = left.pop(); file !== undefined; file = left.pop()) {
      if (seen.has(file)) continue;
      seen.add(file);
      for (const [, wanted = ""] of readFileSync(file, "utf8").matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
        if (wanted.startsWith(".")) left.push(join(dirname(file), wanted.replace(/\.js$/, ".d.ts")));
        else if (!isInstalled(packageOf(wanted)))
          faults.push(`declarations: ${name}: ${subpath} imports ${wanted} in ${file.slice(dist.length + 1)}`);
      }
    }
    return faults;
  });
}

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

/** Whether a package brings its own declarations. */
function hasTypes(name: string): boolean {
  const manifest = readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8");
  return /"(types|typings)":/.test(manifest);
}

async function typeFaults(folder: PackageFolder): Promise<string[]> {
  const { checkPackage, Package } = await import("@arethetypeswrong/core");
  const { name, version } = readManifest(folder);
  const dist = distOf(folder);
  const files = globSync(["package.json", "lib/**/*.{js,ts}"], { cwd: dist }).map((file): [string, string] => [
    `/node_modules/${name}/${file.replaceAll(sep, "/")}`,
    readFileSync(join(dist, file), "utf8"),
  ]);
  const result = await checkPackage(new Package(Object.fromEntries(files), name, version));
  if (result.types === false) return [`attw: ${name}: the package has no declarations`];
  return result.problems
    .filter((problem) => !("resolutionKind" in problem && IGNORED_RESOLUTIONS.includes(problem.resolutionKind)))
    .map((problem) => `attw: ${name}: ${JSON.stringify(problem)}`);
}

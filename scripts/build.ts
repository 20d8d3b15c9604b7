// Builds the publishable packages into packages/{protocol,client,flock}/dist and checks them: `publint` for the manifest,
// `@arethetypeswrong/core` for the declarations, and the client's size. Does nothing when no source has changed.
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { distOf, type PackageFolder, PUBLISHED, readManifest } from "./packages.ts";
import { ROOT, runAll } from "./run.ts";

/** The limit of the client without the React hook, in bytes after minification and gzip. */
const CLIENT_LIMIT = 6 * 1024;

/** How CommonJS and Node 10 resolve the packages, which are published as ES modules only. */
const IGNORED_RESOLUTIONS = ["node10", "node16-cjs"];

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

// Prepares a fresh clone for one of the npm scripts, then runs the script's command.
// Must run on Node 20 before any package is installed: plain JavaScript, no dependency.
//
//   node scripts/setup.mjs <start|test|…> -- <command> [arguments]
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The oldest major version of Node that runs Flock, and the version to install where Node is older. */
const MIN_NODE = 24;
const NODE_TO_INSTALL = "24.21.0";

/** Folders with dependencies that only these scripts need. Each has its own package.json and lock file. */
const EXTRA_PACKAGES = { ci: [".ci"], bench: ["bench/peers"], docs: ["scripts/docs"], mutate: ["scripts/mutate"] };

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [purpose, separator, ...command] = process.argv.slice(2);
if (!purpose || separator !== "--" || command.length === 0) {
  fail("usage: node scripts/setup.mjs <purpose> -- <command> [arguments]");
}

const needs = {
  dashboard: ["start", "test", "soak", "bench", "build"].includes(purpose),
  debian: ["test", "soak"].includes(purpose),
};

const binFolders = [join(root, "node_modules/.bin")];
installPackages(root);
for (const folder of EXTRA_PACKAGES[purpose] ?? []) installPackages(join(root, folder));
if (majorOf(process.version) < MIN_NODE) useNewerNode();
const env = { ...process.env, PATH: [...binFolders, process.env.PATH].join(delimiter) };
if (needs.debian) installDebianPackages();
if (needs.dashboard) buildDashboard();
run();

function installPackages(folder) {
  const lock = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
  const stamp = join(folder, "node_modules/.flock-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  const where = relative(root, folder);
  step(`installing npm packages${where && ` of ${where}`}`, () => {
    // `npm ci` rejects a lock file that was written where a mirror lacks the binaries of other platforms.
    // This command installs the locked versions too, and does not change the lock file.
    npmInstall(folder);
    writeFileSync(stamp, lock);
  });
}

/** Installs Node from npm into .cache/node, outside node_modules so that `npm install` does not prune it. */
function useNewerNode() {
  const folder = join(root, ".cache/node");
  const bin = join(folder, "node_modules/.bin");
  binFolders.push(bin);
  if (versionIn(bin) === `v${NODE_TO_INSTALL}`) return;
  const platform = process.platform === "win32" ? "win" : process.platform;
  const prefix = platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  step(`installing Node ${NODE_TO_INSTALL} into .cache/node (this machine has ${process.version})`, () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
    const name = `${prefix}-${platform}-${process.arch}`;
    npmInstall(folder, `${name}@${NODE_TO_INSTALL}`);
    // 67 MB of C headers for native add-ons, of which there are none.
    rmSync(join(folder, "node_modules", name, "include"), { recursive: true, force: true });
  });
  if (versionIn(bin) !== `v${NODE_TO_INSTALL}`) fail(`Flock requires Node ${MIN_NODE} or newer. Install it and retry.`);
}

function versionIn(bin) {
  return spawnSync(join(bin, "node"), ["--version"], { encoding: "utf8" }).stdout?.trim();
}

function npmInstall(folder, ...packages) {
  const options = ["--no-save", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status } = spawnSync("npm", ["install", ...options, ...packages], { cwd: folder, stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    fail(`\`npm install\` failed in ${folder}: see its output above. Check that the npm registry is reachable.`);
  }
}

function installDebianPackages() {
  const needed = [
    ["chromium-headless-shell", "/usr/bin/chromium-headless-shell"],
    ["fonts-dejavu-core", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"],
    ["nginx-light", "/usr/sbin/nginx"],
    ["openssl", "/usr/bin/openssl"],
    ["python3-websockets", "/usr/lib/python3/dist-packages/websockets/__init__.py"],
  ];
  const missing = needed.filter(([, file]) => !existsSync(file)).map(([name]) => name);
  if (missing.length === 0) return;
  const manually = `apt-get update && apt-get install --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid?.() !== 0) {
    fail(`the tests need Debian packages that are not installed: ${missing.join(", ")}. Run as root: ${manually}`);
  }
  step(`installing Debian packages: ${missing.join(", ")}`, () => {
    const options = { stdio: ["ignore", "ignore", 2], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
    spawnSync("apt-get", ["-qq", "update"], options);
    const install = ["-y", "-qq", "install", "--no-install-recommends", ...missing];
    const { status } = spawnSync("apt-get", install, options);
    if (status !== 0) fail(`apt-get failed: see its output above. Run as root: ${manually}`);
  });
}

function buildDashboard() {
  const sources = ["packages/dashboard", "packages/client", "packages/protocol"].map((folder) => join(root, folder));
  const digest = createHash("sha256");
  for (const file of sources.flatMap(filesBelow).sort())
    digest.update(file.slice(root.length)).update(readFileSync(file));
  const wanted = digest.digest("hex");
  const built = join(root, "packages/flock/dashboard");
  const stamp = join(built, ".built-from");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  step("building the dashboard", () => {
    const { status, stdout } = spawnSync("vite", ["build", "--logLevel", "warn"], {
      cwd: join(root, "packages/dashboard"),
      env: { ...env, NODE_ENV: "production" },
      stdio: ["ignore", "pipe", 2],
      encoding: "utf8",
    });
    if (status !== 0) fail(`failed to build the dashboard:\n${stdout}`);
    mkdirSync(built, { recursive: true });
    writeFileSync(stamp, wanted);
  });
}

function filesBelow(folder) {
  return readdirSync(folder).flatMap((name) => {
    if (name === "node_modules" || name === "dist") return [];
    const file = join(folder, name);
    return statSync(file).isDirectory() ? filesBelow(file) : [file];
  });
}

function run() {
  const child = spawn(command[0], command.slice(1), { cwd: root, env, stdio: "inherit" });
  // A terminal sends Ctrl-C to the whole process group. Wait for the child's orderly shutdown.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(`failed to run \`${command[0]}\`: ${error.message}`));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

/** Announces a step that runs once per clone, and prints how long it took. */
function step(name, work) {
  say(`${name} …`);
  const started = Date.now();
  work();
  say(`${name}: done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function majorOf(version) {
  return Number(/^v(\d+)/.exec(version)?.[1]);
}

function say(text) {
  process.stderr.write(`flock: ${text}\n`);
}

function fail(text) {
  say(text);
  process.exit(1);
}

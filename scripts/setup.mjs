// Makes a fresh clone ready for one of the npm scripts, then runs its command. Does nothing when all is there.
// Runs on Node 20, before anything is installed: plain JavaScript, no dependency.
//
//   node scripts/setup.mjs <start|test|…> -- <command> [arguments]
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [purpose, separator, ...command] = process.argv.slice(2);
if (!purpose || separator !== "--" || command.length === 0) {
  fail("usage: node scripts/setup.mjs <purpose> -- <command> [arguments]");
}

const wants = {
  // Only what people look at needs the dashboard; only tests and the browser benchmark need Debian's programs.
  dashboard: ["start", "test", "bench", "build"].includes(purpose),
  debian: purpose === "test",
};

installPackages();
const path = join(root, "node_modules", ".bin") + delimiter + process.env.PATH;
checkNode();
if (wants.debian) installDebianPackages();
if (wants.dashboard) buildDashboard();
run();

function installPackages() {
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const stamp = join(root, "node_modules", ".flock-lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  say("installing packages from the npm registry (once)");
  // Not `npm ci`: it refuses a lock file that was written where a mirror lacks the binaries of other platforms.
  // This installs the locked versions too, and leaves the lock file as it is.
  const { status } = spawnSync("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) fail("`npm install` did not succeed: see its message above. Is the npm registry within reach?");
  writeFileSync(stamp, lock);
}

function checkNode() {
  const { stdout } = spawnSync("node", ["--version"], { env: { ...process.env, PATH: path }, encoding: "utf8" });
  const major = Number(/^v(\d+)/.exec(stdout ?? "")?.[1] ?? 0);
  if (major >= 24) return;
  fail(
    `Flock needs Node 24 or newer, and found ${stdout?.trim() || "none"}. The npm package "node" brings one, ` +
      "but its install script did not run (is `ignore-scripts` set?). Install Node 24, or allow that script and run `npm install`.",
  );
}

function installDebianPackages() {
  const needed = [
    ["chromium", "/usr/bin/chromium"],
    ["fonts-dejavu-core", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"],
    ["nginx-light", "/usr/sbin/nginx"],
    ["openssl", "/usr/bin/openssl"],
    ["python3-websockets", "/usr/lib/python3/dist-packages/websockets/__init__.py"],
  ];
  const missing = needed.filter(([, file]) => !existsSync(file)).map(([name]) => name);
  if (missing.length === 0) return;
  const byHand = `apt-get install --no-install-recommends ${missing.join(" ")}`;
  if (process.getuid?.() !== 0) fail(`the tests need Debian packages that are not installed. As root, run: ${byHand}`);
  say(`installing Debian packages (once): ${missing.join(", ")}`);
  const options = { stdio: ["ignore", "ignore", 2], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  const install = ["-y", "-qq", "install", "--no-install-recommends", ...missing];
  spawnSync("apt-get", ["-qq", "update"], options);
  const { status } = spawnSync("apt-get", install, options);
  if (status !== 0) fail(`apt-get did not succeed: see its message above. By hand: ${byHand}`);
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
  say("building the dashboard (once)");
  const { status, stdout } = spawnSync("vite", ["build", "--logLevel", "warn"], {
    cwd: join(root, "packages/dashboard"),
    env: { ...process.env, PATH: path, NODE_ENV: "production" },
    stdio: ["ignore", "pipe", 2],
    encoding: "utf8",
  });
  if (status !== 0) fail(`the dashboard did not build:\n${stdout}`);
  mkdirSync(built, { recursive: true });
  writeFileSync(stamp, wanted);
}

function filesBelow(folder) {
  return readdirSync(folder).flatMap((name) => {
    if (name === "node_modules" || name === "dist") return [];
    const file = join(folder, name);
    return statSync(file).isDirectory() ? filesBelow(file) : [file];
  });
}

function run() {
  const child = spawn(command[0], command.slice(1), {
    cwd: root,
    env: { ...process.env, PATH: path },
    stdio: "inherit",
  });
  // Ctrl-C reaches the whole group, so the child has it already; we only wait for its clean end.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => fail(`could not run ${command[0]}: ${error.message}`));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

function say(text) {
  process.stderr.write(`flock: ${text}\n`);
}

function fail(text) {
  process.stderr.write(`flock: ${text}\n`);
  process.exit(1);
}

// The newsroom: agents that review the given texts, and a page that shows them at work.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Flock, FlockError } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { Verdict } from "./artifacts.ts";
import { newsroom } from "./newsroom.ts";
import { readArticle, UnreadableArticle } from "./read-article.ts";

const USAGE = `Usage: npm start -- [FILE ...] [--port 8000] [--host 127.0.0.1] [--data FILE] [--no-open]

Agents review each text FILE (default: an article that comes with Flock), and a web page shows them at work.

  --port PORT   where to serve; 0 takes a free one (default 8000)
  --host HOST   where to listen (default 127.0.0.1: only this machine)
  --data FILE   the file that keeps the blackboard (default .flock/newsroom.db); "none" forgets it at the end
  --no-open     do not open a browser
  --help        show this

With FLOCK_MODEL=provider/model in the environment, such as openai/gpt-4.1 with OPENAI_API_KEY, the summariser and the
critic ask that model. Without it no text leaves this machine.
`;

/** What the blackboard may take before the oldest is dropped, in bytes: some 100,000 reviews. */
const MAX_BYTES = 1024 ** 3;
/** How long a clean end may take before it is forced, in ms. */
const END_WITHIN_MS = 4_000;

/** By name only: a key that happens to be in the environment is no wish to send one's texts somewhere. */
const model = process.env.FLOCK_MODEL || undefined;

const { files, port, host, data, open } = readArguments();
const articles = await readAll(files);
const flock = openNewsroom();
const before = (await flock.store.getByType(Verdict)).length;
const server = await listen(flock);
let ending = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, end);

console.log(`The newsroom is open: ${server.url}  (Ctrl-C ends it)`);
if (model) console.log(`The summariser and the critic ask ${model}.`);
if (before > 0) console.log(`On the blackboard from before: ${before === 1 ? "1 review" : `${before} reviews`}.`);
tell(flock, before);
for (const article of articles) await flock.publish(article);
if (open && hasDesktop()) await openBrowser(server.url);

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      allowNegative: true,
      options: {
        port: { type: "string", default: "8000" },
        host: { type: "string", default: "127.0.0.1" },
        data: { type: "string", default: ".flock/newsroom.db" },
        open: { type: "boolean", default: true },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    const number = Number(values.port);
    if (!/^\d+$/.test(values.port) || number > 65_535) {
      fail(`--port ${values.port}: a port is a whole number from 0 to 65535`, 2);
    }
    const article = fileURLToPath(new URL("article.md", import.meta.url));
    return {
      files: positionals.length > 0 ? positionals : [article],
      port: number,
      host: values.host,
      data: values.data,
      open: values.open,
    };
  } catch (error) {
    return fail(`${(error as Error).message.split(". ")[0]}: npm start -- --help shows what there is`, 2);
  }
}

/** All articles that can be read. What cannot is told; when nothing is left, there is no work. */
async function readAll(names: readonly string[]) {
  const found = [];
  for (const name of names) {
    try {
      found.push(await readArticle(name));
    } catch (error) {
      if (!(error instanceof UnreadableArticle)) throw error;
      console.error(`newsroom: ${error.message}`);
    }
  }
  if (found.length === 0) process.exit(1);
  return found;
}

function openNewsroom(): Flock {
  try {
    return newsroom({
      ...(model ? { model } : {}),
      ...(data === "none" ? {} : { store: sqliteStore(data, { retention: { maxBytes: MAX_BYTES } }) }),
    });
  } catch (error) {
    if (error instanceof FlockError) return fail(`${error.message} (--data FILE)`, 1);
    throw error;
  }
}

async function listen(flock: Flock) {
  try {
    return await flock.serve({ dashboard: true, host, port });
  } catch (error) {
    if (error instanceof FlockError) return fail(error.message, 1);
    throw error;
  }
}

/** Says in a few lines what the verdicts are, also on work that comes later; not on those that were there before. */
function tell(flock: Flock, before: number): void {
  let told = before;
  let looking = false;
  flock.log.onGrowth(() => {
    if (looking) return;
    looking = true;
    setTimeout(async () => {
      looking = false;
      if (ending) return;
      const verdicts = await flock.store.getByType(Verdict);
      for (const { title, rounds, suggestions } of verdicts.slice(told)) {
        told += 1;
        console.log(`\n${title}: reviewed in ${rounds === 1 ? "one round" : `${rounds} rounds`}.`);
        for (const suggestion of suggestions) console.log(`  - ${suggestion}`);
      }
    }, 50);
  });
}

function hasDesktop(): boolean {
  if (!process.stdout.isTTY) return false;
  return process.platform !== "linux" || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

async function openBrowser(url: string): Promise<void> {
  const { default: openUrl } = await import("open");
  // A desktop without a browser is no reason to stop: the URL stands above.
  await openUrl(url).catch(() => {});
}

async function end(signal: string): Promise<void> {
  if (ending) process.exit(130);
  ending = true;
  if (signal === "SIGINT") console.log("\nThe newsroom closes.");
  setTimeout(() => process.exit(1), END_WITHIN_MS).unref();
  await flock.shutdown();
  process.exit(0);
}

function fail(message: string, code: number): never {
  console.error(`newsroom: ${message}`);
  process.exit(code);
}

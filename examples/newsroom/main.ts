// The newsroom: agents that review the given texts, and a page that shows their work.
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Flock, FlockError } from "flock-ts";
import { sqliteStore } from "flock-ts/stores/sqlite";
import { Verdict } from "./artifacts.ts";
import { newsroom } from "./newsroom.ts";
import { readArticle, UnreadableArticle } from "./read-article.ts";

const USAGE = `Usage: npm start -- [FILE ...] [--port 8000] [--host 127.0.0.1] [--data FILE] [--no-open]

Agents review each text FILE (default: an article that comes with Flock), and a web page shows them at work.

  --port PORT   port to serve on; 0 chooses a free one (default 8000)
  --host HOST   address to listen on (default 127.0.0.1: only this machine)
  --data FILE   file for the blackboard (default .flock/newsroom.db); "none" keeps it in memory only
  --no-open     do not open a browser
  --help        show this help

With FLOCK_MODEL=provider/model in the environment, such as openai/gpt-4.1 with OPENAI_API_KEY, the summariser and the
critic use that model. Without it, no text leaves this machine.
`;

/** Size limit of the blackboard in bytes (about 100,000 reviews); beyond it, the oldest data is dropped. */
const MAX_BYTES = 1024 ** 3;
/** Time limit of a clean shutdown, in ms, before it is forced. */
const END_WITHIN_MS = 4_000;

/** Used only if named: an API key in the environment is no consent to send texts to a provider. */
const model = process.env.FLOCK_MODEL || undefined;

const { files, port, host, data, open } = readArguments();
const articles = await readAll(files);
const flock = await openNewsroom();
const before = (await flock.store.getByType(Verdict)).length;
const server = await listen(flock);
let ending = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, end);

console.log(`The newsroom is running at ${server.url}  (press Ctrl-C to stop)`);
if (model) console.log(`The summariser and the critic use ${model}.`);
if (before > 0) console.log(`Already on the blackboard: ${before === 1 ? "1 review" : `${before} reviews`}.`);
reportVerdicts(flock, before);
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
      fail(`Invalid --port ${values.port}: a port is an integer from 0 to 65535`, 2);
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
    return fail(`${(error as Error).message.split(". ")[0]}: run npm start -- --help for the options`, 2);
  }
}

/** Reads all articles. Reports unreadable ones, and exits if none is left. */
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

async function openNewsroom(): Promise<Flock> {
  try {
    return await newsroom({
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

/** Prints each new verdict in a few lines, but not those of earlier processes. */
function reportVerdicts(flock: Flock, before: number): void {
  let reported = before;
  let looking = false;
  flock.log.onGrowth(() => {
    if (looking) return;
    looking = true;
    setTimeout(async () => {
      looking = false;
      if (ending) return;
      const verdicts = await flock.store.getByType(Verdict);
      for (const { title, rounds, suggestions } of verdicts.slice(reported)) {
        reported += 1;
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
  // A desktop without a browser is not an error: the URL is printed above.
  await openUrl(url).catch(() => {});
}

async function end(signal: string): Promise<void> {
  if (ending) process.exit(130);
  ending = true;
  if (signal === "SIGINT") console.log("\nThe newsroom is stopping.");
  setTimeout(() => process.exit(1), END_WITHIN_MS).unref();
  await flock.shutdown();
  process.exit(0);
}

function fail(message: string, code: number): never {
  console.error(`newsroom: ${message}`);
  process.exit(code);
}

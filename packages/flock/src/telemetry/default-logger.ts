import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type Logger, pino } from "pino";

/** Longest text of an error in a line, in characters. */
const MAX_MESSAGE = 300;
/** Fields that a person does not look for: the dead letter and the events have them. */
const LEFT_OUT = new Set(
  "level time pid hostname name msg err error correlation_id activation_id trace_id span_id trace_flags".split(" "),
);

/**
 * Creates the logger of a flock that was given none. It writes to stderr: short lines for people, and JSON lines where
 * `NODE_ENV` is `production` or `FLOCK_LOG_FORMAT` is `json`. Lines begin at the level `FLOCK_LOG_LEVEL` (default `warn`).
 */
export function defaultLogger(env: NodeJS.ProcessEnv): Logger {
  const options = { name: "flock", level: env.FLOCK_LOG_LEVEL ?? "warn" };
  const stderr = pino.destination(2);
  const isJson = (env.FLOCK_LOG_FORMAT ?? (env.NODE_ENV === "production" ? "json" : "text")) === "json";
  return isJson ? pino(options, stderr) : pino(options, { write: (line) => void stderr.write(`${textOf(line)}\n`) });
}

/** Converts a JSON line of pino to a short line: level, message, error with its place, and the other fields. */
export function textOf(line: string, folder = process.cwd()): string {
  const entry = JSON.parse(line) as Record<string, unknown>;
  const level = pino.levels.labels[entry.level as number] ?? String(entry.level);
  const error = errorOf(entry.err ?? entry.error, folder);
  const fields = Object.entries(entry).flatMap(([key, value]) => {
    if (LEFT_OUT.has(key) || value === undefined) return [];
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return `${key}=${shorten(text, 80)}`;
  });
  const details = fields.length > 0 ? ` {${fields.join(", ")}}` : "";
  return `${level.toUpperCase()} flock: ${String(entry.msg)}${error === "" ? "" : `: ${error}`}${details}`;
}

function errorOf(error: unknown, folder: string): string {
  if (typeof error !== "object" || error === null)
    return error === undefined ? "" : shorten(String(error), MAX_MESSAGE);
  const { type, name, message, stack } = error as Record<string, unknown>;
  const kind = [type, name].find((one) => typeof one === "string" && one !== "Object");
  const place = typeof stack === "string" ? placeOf(stack, folder) : undefined;
  const text = `${kind === undefined ? "" : `${kind}: `}${shorten(String(message), MAX_MESSAGE)}`;
  return place === undefined ? text : `${text} (${place})`;
}

/** Returns the first place in a stack that is neither Node's nor of an installed package. */
function placeOf(stack: string, folder: string): string | undefined {
  for (const line of stack.split("\n")) {
    const [, file, position] = /^\s*at (?:.*\(|async )?(.+?):(\d+:\d+)\)?$/.exec(line) ?? [];
    if (file === undefined || !/^(file:|\/|[A-Z]:)/.test(file) || file.includes("/node_modules/")) continue;
    const path = file.startsWith("file://") ? fileURLToPath(file) : file;
    const near = relative(folder, path);
    return `${near.startsWith("..") ? path : near}:${position}`;
  }
  return undefined;
}

function shorten(text: string, max: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= max ? line : `${line.slice(0, max)}…`;
}

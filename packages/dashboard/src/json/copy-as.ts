/** An artifact to publish again, and the server's address. */
export interface Publication {
  readonly type: string;
  readonly payload: unknown;
  readonly tags?: readonly string[];
  /** The full URL of `POST publish`. */
  readonly url: string;
}

/** The longest command line that every system accepts. Longer bodies are read from standard input. */
const MAX_ARGUMENT = 100_000;

/** Returns a shell command that publishes an artifact. */
export function asCurl({ type, payload, tags, url }: Publication): string {
  const body = JSON.stringify({ artifact_type: type, payload, ...(tags?.length ? { tags } : {}) });
  const start = `curl -X POST ${quoted(url)} \\\n  -H 'Content-Type: application/json'`;
  // JSON has no raw line breaks, so none of its lines can end the here-document early.
  if (body.length > MAX_ARGUMENT) return `${start} \\\n  --data-binary @- <<'END'\n${body}\nEND`;
  return `${start} \\\n  --data-raw ${quoted(body)}`;
}

/** Returns a TypeScript statement that publishes an artifact. */
export function asTypeScript({ type, payload, tags }: Publication): string {
  const options = tags?.length ? `, ${literal({ tags }, 0)}` : "";
  const isName = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(type) && !RESERVED.has(type);
  const maker = isName ? type : `flock.types.get(${JSON.stringify(type)})!`;
  return `await flock.publish(${maker}(${literal(payload, 0)})${options});`;
}

/** Reserved words, which cannot name an artifact type's variable. */
const RESERVED = new Set(
  (
    "await break case catch class const continue debugger default delete do else enum export extends false finally for " +
    "function if import in instanceof interface let new null package private protected public return static super switch this " +
    "throw true try typeof var void while with yield"
  ).split(" "),
);

/** Values up to this length stay on one line. */
const WIDTH = 90;

/** Formats a value as a TypeScript literal. */
export function literal(value: unknown, depth: number): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined";
  const parts = Array.isArray(value)
    ? value.map((entry) => literal(entry, depth + 1))
    : Object.entries(value).map(([name, entry]) => `${nameLiteral(name)}: ${literal(entry, depth + 1)}`);
  const [open, close, space] = Array.isArray(value) ? ["[", "]", ""] : ["{", "}", " "];
  if (parts.length === 0) return open + close;
  const line = `${open}${space}${parts.join(", ")}${space}${close}`;
  if (line.length + depth * 2 <= WIDTH && !line.includes("\n")) return line;
  const indent = "  ".repeat(depth + 1);
  return `${open}\n${parts.map((part) => `${indent}${part},\n`).join("")}${"  ".repeat(depth)}${close}`;
}

/** As a plain key, this name would set the prototype. */
const PROTOTYPE = "__proto__";

function nameLiteral(name: string): string {
  if (name === PROTOTYPE) return `["${PROTOTYPE}"]`;
  return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(name) ? name : JSON.stringify(name);
}

/** Quotes a string for a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** What is to be published again, and where. */
export interface Publication {
  readonly type: string;
  readonly payload: unknown;
  readonly tags?: readonly string[];
  /** Where `POST publish` is, in full. */
  readonly url: string;
}

/** A command line may be so long on every system; what is longer is read from standard input. */
const MAX_ARGUMENT = 100_000;

/** A command for a shell that publishes an artifact. */
export function asCurl({ type, payload, tags, url }: Publication): string {
  const body = JSON.stringify({ artifact_type: type, payload, ...(tags?.length ? { tags } : {}) });
  const start = `curl -X POST ${quoted(url)} \\\n  -H 'Content-Type: application/json'`;
  // JSON has no raw line breaks, so that no line of it can end the document early.
  if (body.length > MAX_ARGUMENT) return `${start} \\\n  --data-binary @- <<'END'\n${body}\nEND`;
  return `${start} \\\n  --data-raw ${quoted(body)}`;
}

/** The same for a program that has the type. */
export function asTypeScript({ type, payload, tags }: Publication): string {
  const options = tags?.length ? `, ${literal({ tags }, 0)}` : "";
  const isName = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(type) && !RESERVED.has(type);
  const maker = isName ? type : `flock.types.get(${JSON.stringify(type)})!`;
  return `await flock.publish(${maker}(${literal(payload, 0)})${options});`;
}

/** Words that no artifact type's variable can be called. */
const RESERVED = new Set(
  (
    "await break case catch class const continue debugger default delete do else enum export extends false finally for " +
    "function if import in instanceof interface let new null package private protected public return static super switch this " +
    "throw true try typeof var void while with yield"
  ).split(" "),
);

/** As much as fits on one line is on one line. */
const WIDTH = 90;

/** A value as a person writes it in TypeScript. */
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

/** A field of this name, written plainly, would set the prototype instead. */
const PROTOTYPE = "__proto__";

function nameLiteral(name: string): string {
  if (name === PROTOTYPE) return `["${PROTOTYPE}"]`;
  return /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u.test(name) ? name : JSON.stringify(name);
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

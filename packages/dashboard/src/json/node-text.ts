/** The kind of a JSON value. */
export type ValueKind = "object" | "array" | "string" | "number" | "boolean" | "null";

const PREVIEW_LENGTH = 90;

export function kindOf(value: unknown): ValueKind {
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  if (type === "object" && value !== null) return "object";
  return type === "string" || type === "number" || type === "boolean" ? type : "null";
}

/** Whether a value has children. */
export function isBranch(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  for (const _ in value) return true;
  return false;
}

/** Returns the beginning of a collapsed branch's content. */
export function gistOf(branch: object): string {
  let text = "";
  for (const [key, value] of entriesOf(branch)) {
    const shown = isBranch(value) ? (Array.isArray(value) ? "[…]" : "{…}") : leafText(value);
    const entry = `${Array.isArray(branch) ? "" : `${key}: `}${shown.slice(0, PREVIEW_LENGTH)}`;
    if (text.length + entry.length > PREVIEW_LENGTH) return `${text}${text === "" ? "" : ", "}…`;
    text += text === "" ? entry : `, ${entry}`;
  }
  return text;
}

/** Returns a value as JSON; undefined values as an empty string. */
export function leafText(value: unknown): string {
  return JSON.stringify(value) ?? "nothing";
}

/** A generator, because an object may have a million entries and only the first few are used. */
function* entriesOf(branch: object): Generator<[string, unknown]> {
  for (const key in branch) yield [key, (branch as Record<string, unknown>)[key]];
}

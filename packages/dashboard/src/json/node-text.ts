/** What a value is. */
export type ValueKind = "object" | "array" | "string" | "number" | "boolean" | "null";

const GIST = 90;

export function kindOf(value: unknown): ValueKind {
  if (Array.isArray(value)) return "array";
  const type = typeof value;
  if (type === "object" && value !== null) return "object";
  return type === "string" || type === "number" || type === "boolean" ? type : "null";
}

/** Whether there is something below a value. */
export function isBranch(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  for (const _ in value) return true;
  return false;
}

/** The beginning of what is in a closed branch, so that one need not open it to know it. */
export function gistOf(branch: object): string {
  let text = "";
  for (const [key, value] of entriesOf(branch)) {
    const shown = isBranch(value) ? (Array.isArray(value) ? "[…]" : "{…}") : leafText(value);
    const entry = `${Array.isArray(branch) ? "" : `${key}: `}${shown.slice(0, GIST)}`;
    if (text.length + entry.length > GIST) return `${text}${text === "" ? "" : ", "}…`;
    text += text === "" ? entry : `, ${entry}`;
  }
  return text;
}

/** A value as JSON; what is no JSON is nothing. */
export function leafText(value: unknown): string {
  return JSON.stringify(value) ?? "nothing";
}

/** One after the other, because an object may have a million and only the first few are wanted. */
function* entriesOf(branch: object): Generator<[string, unknown]> {
  for (const key in branch) yield [key, (branch as Record<string, unknown>)[key]];
}

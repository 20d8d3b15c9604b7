/** Summarizes a payload in one line of at most 160 UTF-16 code units. */
export function preview(payload: unknown): string {
  if (typeof payload !== "object" || payload === null) return String(payload ?? "");
  for (const name of ["title", "name", "summary", "text", "description"]) {
    const value = (payload as Record<string, unknown>)[name];
    if (typeof value === "string" && value !== "") return value.slice(0, 160);
  }
  return fieldsOf(payload).slice(0, 160);
}

/** Lists an object's fields as `customer: Ada, toppings: ["basil"]`. */
function fieldsOf(payload: object): string {
  if (Array.isArray(payload)) return JSON.stringify(payload);
  return Object.entries(payload)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}

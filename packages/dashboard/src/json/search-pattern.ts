/** Returns the pattern for a search: the literal text, case-insensitive. Undefined for an empty text. */
export function searchPattern(query: string, flags: "i" | "gi"): RegExp | undefined {
  return query === "" ? undefined : new RegExp(query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), flags);
}

/** What a search looks for: the text as it was typed, in whatever case. Undefined when nothing was. */
export function searchPattern(query: string, flags: "i" | "gi"): RegExp | undefined {
  return query === "" ? undefined : new RegExp(query.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), flags);
}

import type { TreeRow } from "./json-tree.ts";

/** What a key does in a tree, by the ARIA practice for trees. */
export type TreeMove =
  | { readonly do: "go"; readonly row: number }
  | { readonly do: "toggle" | "read" | "find" | "openAll" };

/** What a key means on a row among so many; undefined for keys that are not the tree's. */
export function moveOf(
  { key, ctrlKey, metaKey, altKey }: Pick<KeyboardEvent, "key" | "ctrlKey" | "metaKey" | "altKey">,
  row: TreeRow | undefined,
  at: number,
  count: number,
  page: number,
): TreeMove | undefined {
  const go = (to: number): TreeMove => ({ do: "go", row: Math.max(0, Math.min(to, count - 1)) });
  if ((ctrlKey || metaKey) && key.toLowerCase() === "f") return { do: "find" };
  if (ctrlKey || metaKey || altKey) return undefined;
  const isBranch = row?.isOpen !== undefined && row.kind !== "string";
  switch (key) {
    case "ArrowDown":
      return go(at + 1);
    case "ArrowUp":
      return go(at - 1);
    case "PageDown":
      return go(at + page);
    case "PageUp":
      return go(at - page);
    case "Home":
      return go(0);
    case "End":
      return go(count - 1);
    case "ArrowRight":
      if (row?.isOpen === false) return { do: "toggle" };
      return isBranch ? go(at + 1) : undefined;
    case "ArrowLeft":
      if (row?.isOpen === true) return { do: "toggle" };
      return row && row.parent >= 0 ? go(row.parent) : undefined;
    case "Enter":
    case " ":
      if (row?.isOpen === undefined) return undefined;
      return { do: key === "Enter" && row.kind === "string" ? "read" : "toggle" };
    case "*":
      return { do: "openAll" };
    case "/":
      return { do: "find" };
    default:
      return undefined;
  }
}

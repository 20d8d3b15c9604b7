import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { FoundText, type Highlight } from "./found-text.tsx";
import { OPEN_TEXT, type TreeRow } from "./json-tree.ts";

/** The deepest indented level. Deeper ones would leave no space for text. */
const MAX_INDENT = 24;

/** The guide lines from a row to its ancestors. */
export function Indent({ depth }: { depth: number }) {
  return Array.from({ length: Math.min(depth - 1, MAX_INDENT) }, (_, level) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: a level is its index
    <span key={level} aria-hidden="true" className="ml-2 w-2 shrink-0 self-stretch border-l border-line" />
  ));
}

/** A row of a tree: its name and its value. */
export function TreeLine({ row, highlight, onToggle, onRead }: TreeLineProps) {
  const { key, isOpen, kind, size } = row;
  const isText = kind === "string";
  return (
    <>
      <Indent depth={row.depth} />
      {isOpen === undefined ? (
        <span className="w-4 shrink-0" />
      ) : (
        // The row has the expanded state, and the keyboard toggles it.
        <span aria-hidden="true" onPointerDown={onToggle} className="w-4 shrink-0 cursor-pointer pt-1.5 text-soft">
          <ChevronRight size={13} className={isOpen ? "rotate-90" : ""} />
        </span>
      )}
      <span className={`min-w-0 flex-1 ${isOpen && isText ? "break-words whitespace-pre-wrap" : "truncate"}`}>
        {key !== undefined && (
          <span className="mr-1.5 font-medium text-soft">
            {typeof key === "number" ? key : <FoundText text={key} highlight={highlight} />}:
          </span>
        )}
        <Value row={row} highlight={highlight} />
        {isText && isOpen !== undefined && (!isOpen || size > OPEN_TEXT) && (
          <span className="ml-1.5 text-xs text-soft">{size.toLocaleString("en")} characters</span>
        )}
      </span>
      {isText && isOpen !== undefined && (
        <button
          type="button"
          tabIndex={-1}
          onClick={onRead}
          className="h-6 shrink-0 rounded px-1.5 text-xs text-accent underline underline-offset-2"
        >
          View
        </button>
      )}
    </>
  );
}

function Value({ row: { kind, text, size, isOpen }, highlight }: Pick<TreeLineProps, "row" | "highlight">): ReactNode {
  if (kind === "object" || kind === "array") {
    if (size === 0) return <span className="text-soft">{kind === "array" ? "[]" : "{}"}</span>;
    return (
      <>
        <span className="text-soft">{kind === "array" ? `[${size}]` : `{${size}}`}</span>
        {!isOpen && <span className="ml-2 text-xs text-soft">{text}</span>}
      </>
    );
  }
  if (kind === "range") return <span className="text-soft">{text}</span>;
  const found = <FoundText text={text} highlight={highlight} />;
  if (kind === "string")
    return (
      <span>
        "{found}
        {text.length < size ? "…" : '"'}
      </span>
    );
  return <span className={kind === "null" ? "text-soft italic" : "text-accent"}>{found}</span>;
}

interface TreeLineProps {
  readonly row: TreeRow;
  readonly highlight: Highlight | undefined;
  readonly onToggle: () => void;
  /** Opens a long string in a dialog. */
  readonly onRead: () => void;
}

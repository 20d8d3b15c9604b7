import { ChevronDown, ChevronRight, ChevronUp } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { quietButton } from "../ui/quiet-button.ts";
import type { DiffRow, DiffSide, JsonDiff } from "./json-diff.ts";
import type { PayloadSource } from "./payload-source.ts";
import { TextDifference } from "./text-difference.tsx";
import { moveOf } from "./tree-keys.ts";
import { Indent } from "./tree-line.tsx";
import { type Host, then, useModel } from "./use-document-model.ts";
import { ROW_HEIGHT, useVirtualRows } from "./use-rows.ts";

/** Compares two payloads of any size, side by side or stacked on narrow screens. */
export function DiffViewer({ left, right, leftName, rightName }: DiffViewerProps) {
  const opened = useModel("diff", left, right);
  if (opened.status === "opening") {
    return (
      <p role="status" className="rounded-xl border border-line bg-card p-4 text-sm text-soft">
        Comparing…
      </p>
    );
  }
  if (opened.status === "failed") {
    return (
      <p role="alert" className="rounded-xl border border-bad bg-card p-4 text-sm break-words text-bad">
        Failed to compare: {opened.message}
      </p>
    );
  }
  return <Comparison host={opened.host} leftName={leftName} rightName={rightName} />;
}

interface DiffViewerProps {
  readonly left: PayloadSource;
  readonly right: PayloadSource;
  /** The name of the left side, the older one. */
  readonly leftName: string;
  readonly rightName: string;
}

const SIGNS: Record<DiffRow["change"], { readonly sign: string; readonly said: string; readonly look: string }> = {
  same: { sign: "", said: "unchanged", look: "text-soft" },
  inside: { sign: "", said: "changes inside", look: "" },
  changed: { sign: "~", said: "changed", look: "bg-[color-mix(in_srgb,var(--busy)_10%,transparent)]" },
  added: { sign: "+", said: "added", look: "bg-[color-mix(in_srgb,var(--good)_10%,transparent)]" },
  removed: { sign: "−", said: "removed", look: "bg-[color-mix(in_srgb,var(--bad)_9%,transparent)]" },
};

function Comparison({ host, leftName, rightName }: { host: Host<JsonDiff>; leftName: string; rightName: string }) {
  const id = useId();
  const scroll = useRef<HTMLDivElement>(null);
  const [shown, setShown] = useState({ host, version: 0, rows: host.facts.rows });
  const [current, setCurrent] = useState({ change: -1, row: 0, isStep: false });
  if (shown.host !== host) {
    setShown({ host, version: 0, rows: host.facts.rows });
    setCurrent({ change: -1, row: 0, isStep: false });
  }
  const { version, rows: count } = shown;
  const { virtualizer, row } = useVirtualRows<DiffRow, JsonDiff>(host, version, count, current.row, scroll);
  // biome-ignore lint/correctness/useExhaustiveDependencies: scrolls only when the current row changes
  useEffect(() => {
    virtualizer.scrollToIndex(current.row, { align: current.isStep ? "center" : "auto" });
  }, [current]);
  const changes = host.facts.count;
  const step = (by: 1 | -1) => {
    const change = current.change < 0 ? (by > 0 ? 0 : changes - 1) : (current.change + by + changes) % changes;
    then(host.call("reveal", change), ({ row, rows }) => {
      setShown({ host, version: version + 1, rows });
      setCurrent({ change, row, isStep: true });
    });
  };
  const toggle = (node: number) =>
    then(host.call("toggle", node), (rows) => setShown({ host, version: version + 1, rows }));
  const here = row(current.row);
  const onKeyDown = (key: KeyboardEvent) => {
    if (key.target !== scroll.current) return;
    const page = Math.max(1, Math.floor((scroll.current?.clientHeight ?? 0) / ROW_HEIGHT) - 1);
    const move = moveOf(key, here && { ...here, kind: "object" }, current.row, count, page);
    if (move?.do !== "go" && move?.do !== "toggle") return;
    key.preventDefault();
    if (move.do === "go") setCurrent({ change: current.change, row: move.row, isStep: false });
    else if (here) toggle(here.node);
  };
  return (
    <section aria-label="Comparison" className="@container overflow-hidden rounded-xl border border-line bg-card">
      <header className="flex flex-wrap items-center gap-2 border-b border-line p-2 text-xs">
        <p role="status" className="flex-1 px-1 font-medium">
          {changes === 0 ? "No differences." : changes === 1 ? "1 change" : `${changes.toLocaleString("en")} changes`}
          {current.change >= 0 && `, change ${(current.change + 1).toLocaleString("en")}`}
        </p>
        <button type="button" className={quietButton} disabled={changes === 0} onClick={() => step(-1)}>
          <ChevronUp size={14} aria-hidden="true" /> Previous change
        </button>
        <button type="button" className={quietButton} disabled={changes === 0} onClick={() => step(1)}>
          <ChevronDown size={14} aria-hidden="true" /> Next change
        </button>
      </header>
      <div
        ref={scroll}
        role="tree"
        aria-label={`${leftName} and ${rightName}`}
        tabIndex={0}
        aria-activedescendant={here ? `${id}-${current.row}` : undefined}
        onKeyDown={onKeyDown}
        className="group/diff max-h-[60vh] overflow-y-auto font-mono text-[0.8125rem] leading-6 -outline-offset-2"
      >
        {/* The tree's label has the same text. */}
        <div
          aria-hidden="true"
          className="sticky top-0 z-1 grid grid-cols-2 border-b border-line bg-card text-xs text-soft"
        >
          {[`− ${leftName}`, `+ ${rightName}`].map((name) => (
            <span key={name} title={name} className="truncate px-3 py-1">
              {name}
            </span>
          ))}
        </div>
        <div role="presentation" className="relative w-full" style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map(({ index, start, key }) => {
            const one = row(index);
            if (!one) return null;
            return (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the tree handles keys
              // biome-ignore lint/a11y/useFocusableInteractive: the tree has the focus
              <div
                key={key}
                ref={virtualizer.measureElement}
                data-index={index}
                id={`${id}-${index}`}
                role="treeitem"
                aria-level={one.depth}
                aria-posinset={index + 1}
                aria-setsize={count}
                aria-expanded={one.isOpen}
                aria-selected={index === current.row}
                onClick={() => setCurrent({ change: current.change, row: index, isStep: false })}
                className={`absolute inset-x-0 grid min-h-6 grid-cols-1 group-focus-visible/diff:aria-selected:outline-2 group-focus-visible/diff:aria-selected:-outline-offset-2 group-focus-visible/diff:aria-selected:outline-accent @2xl:grid-cols-2 ${SIGNS[one.change].look} ${
                  index === current.row && current.change >= 0 ? "outline-2 -outline-offset-2 outline-accent" : ""
                }`}
                style={{ transform: `translateY(${start}px)` }}
              >
                <Line row={one} onToggle={() => toggle(one.node)} />
              </div>
            );
          })}
        </div>
      </div>
    </section>
  );
}

/** The two cells of a row. When stacked, the empty cell takes no space. */
function Line({ row, onToggle }: { row: DiffRow; onToggle: () => void }) {
  const { change, left, right, folded, isOpen } = row;
  if (folded !== undefined) {
    return (
      <span className="flex bg-sunken px-3 @2xl:col-span-2">
        <Indent depth={row.depth} />
        {/* The row has the expanded state, and the keyboard toggles it. */}
        <button
          type="button"
          tabIndex={-1}
          onClick={onToggle}
          className="flex min-h-6 items-center gap-1 text-xs text-accent"
        >
          <ChevronRight size={13} aria-hidden="true" className={isOpen ? "rotate-90" : ""} />
          {folded.toLocaleString("en")} unchanged
        </button>
      </span>
    );
  }
  const isBoth = change === "same" || change === "inside";
  return (
    <>
      <Cell row={row} side={left} onToggle={onToggle} hides={left ? "never" : "narrow"}>
        {change === "changed" && left && <Changed left={left} right={right as DiffSide} side="left" />}
      </Cell>
      <Cell row={row} side={right} onToggle={onToggle} hides={isBoth || !right ? "narrow" : "never"}>
        {change === "changed" && right && <Changed left={left as DiffSide} right={right} side="right" />}
      </Cell>
    </>
  );
}

function Changed({ left, right, side }: { left: DiffSide; right: DiffSide; side: "left" | "right" }) {
  if (left.kind !== "string" || right.kind !== "string") return null;
  return (
    <>
      "<TextDifference left={left.text} right={right.text} side={side} />"
    </>
  );
}

function Cell({ row, side, onToggle, hides, children }: CellProps) {
  const { key, change, isOpen, depth } = row;
  const { sign, said } = SIGNS[change];
  const shownSign = change === "changed" ? (side === row.left ? "−" : "+") : sign;
  return (
    <span
      className={`flex min-w-0 items-start border-line px-3 @2xl:[&:nth-child(2)]:border-l ${hides === "narrow" ? "@max-2xl:hidden" : ""}`}
    >
      {side && (
        <>
          <span aria-hidden="true" className="w-4 shrink-0 font-bold select-none">
            {shownSign}
          </span>
          <span className="sr-only">{said}: </span>
          <Indent depth={depth} />
          {isOpen !== undefined && (
            <span aria-hidden="true" onPointerDown={onToggle} className="w-4 shrink-0 cursor-pointer pt-1.5">
              <ChevronRight size={13} className={isOpen ? "rotate-90" : ""} />
            </span>
          )}
          <span className="min-w-0 break-words whitespace-pre-wrap">
            {key !== undefined && <span className="mr-1.5 font-medium text-soft">{key}:</span>}
            {children || <Plain side={side} isOpen={isOpen === true} />}
          </span>
        </>
      )}
    </span>
  );
}

function Plain({ side: { kind, text, size }, isOpen }: { side: DiffSide; isOpen: boolean }): ReactNode {
  if (kind === "string") return `"${text}${text.length < size ? `… (${size.toLocaleString("en")} characters)` : '"'}`;
  if (size > 0) return `${kind === "array" ? `[${size}]` : `{${size}}`}${isOpen ? "" : ` ${text}`}`;
  return text;
}

interface CellProps {
  readonly row: DiffRow;
  readonly side: DiffSide | undefined;
  readonly onToggle: () => void;
  /** When stacked, only one side may have content. */
  readonly hides: "never" | "narrow";
  readonly children: ReactNode;
}

import { ChevronsDownUp, ChevronsUpDown } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { CopyButton } from "../ui/copy-button.tsx";
import { quietButton } from "../ui/quiet-button.ts";
import { FindBar } from "./find-bar.tsx";
import type { JsonTree, TreeRow } from "./json-tree.ts";
import type { PayloadSource } from "./payload-source.ts";
import { TextDialog } from "./text-dialog.tsx";
import { moveOf, TypedName } from "./tree-keys.ts";
import { TreeLine } from "./tree-line.tsx";
import { type Host, then, useModel } from "./use-document-model.ts";
import { ROW_HEIGHT, useVirtualRows } from "./use-rows.ts";

/** The data needed to copy a payload as a command that publishes it. */
export interface CopiedAs {
  readonly type: string;
  readonly tags?: readonly string[];
  /** The full URL of `POST publish`. */
  readonly url: string;
}

/** Shows a payload of any size, with search and copy. */
export function JsonViewer({ source, label = "Payload", copyAs }: JsonViewerProps) {
  const opened = useModel("tree", source);
  if (opened.status === "opening") {
    return (
      <p role="status" className="rounded-xl border border-line bg-card p-4 text-sm text-soft">
        Loading payload…
      </p>
    );
  }
  if (opened.status === "failed") {
    return (
      <p role="alert" className="rounded-xl border border-bad bg-card p-4 text-sm break-words text-bad">
        Failed to show the payload: {opened.message}
      </p>
    );
  }
  return <Tree key={label} host={opened.host} label={label} copyAs={copyAs} />;
}

interface JsonViewerProps {
  readonly source: PayloadSource;
  /** The accessible name. Default `Payload`. */
  readonly label?: string;
  /** Enables copying as a command and as TypeScript. */
  readonly copyAs?: CopiedAs | undefined;
}

function Tree({ host, label, copyAs }: { host: Host<JsonTree>; label: string; copyAs: CopiedAs | undefined }) {
  const id = useId();
  const scroll = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [shown, setShown] = useState({ host, version: 0, rows: host.facts.rows });
  const [active, setActive] = useState(0);
  const [read, setRead] = useState<{ path: string; text: string }>();
  const typed = useRef(new TypedName());
  const search = useSearch(host, active, (row, rows) => {
    setShown(({ version }) => ({ host, version: version + 1, rows }));
    setActive(row);
  });
  // Another payload resets the viewer.
  if (shown.host !== host) {
    setShown({ host, version: 0, rows: host.facts.rows });
    setActive(0);
  }
  const { version, rows: count } = shown;
  const { here } = host;
  const { virtualizer, row } = useVirtualRows<TreeRow, JsonTree>(
    host,
    version,
    count,
    active,
    scroll,
    here && ((index) => here.nodeAt(index)),
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: scrolls only when the search or the keyboard moves the active row
  useEffect(() => {
    if (active < count) virtualizer.scrollToIndex(active, { align: "auto" });
  }, [active, version]);

  const changed = (reply: number | Promise<number>) =>
    then(reply, (rows) => {
      setShown(({ version }) => ({ host, version: version + 1, rows }));
      setActive((at) => Math.min(at, Math.max(0, rows - 1)));
    });
  const readText = ({ node, path }: TreeRow) => then(host.call("text", node), (text) => setRead({ path, text }));
  const current = row(active);
  const onKeyDown = (key: KeyboardEvent) => {
    if (key.target !== scroll.current) return;
    const page = Math.max(1, Math.floor((scroll.current?.clientHeight ?? 0) / ROW_HEIGHT) - 1);
    const move = moveOf(key, current, active, count, page);
    if (!move) return;
    key.preventDefault();
    if (move.do === "go") setActive(move.row);
    else if (move.do === "seek") {
      const { text, isSame } = typed.current.add(move.text, key.timeStamp);
      then(host.call("named", text, isSame ? active : active + 1), (row) => row >= 0 && setActive(row));
    } else if (move.do === "find") input.current?.focus();
    else if (move.do === "openAll") changed(host.call("openAll"));
    else if (current && move.do === "toggle") changed(host.call("toggle", current.node));
    else if (current) readText(current);
  };
  return (
    <div className="overflow-hidden rounded-xl border border-line bg-card">
      <div className="flex flex-wrap items-center gap-1.5 border-b border-line p-2">
        <FindBar {...search.bar} input={input} onLeave={() => scroll.current?.focus()} />
        <div className="ml-auto flex flex-wrap gap-1.5">
          <button
            type="button"
            className={quietButton}
            aria-label="Expand all"
            title="Expand all (*)"
            onClick={() => changed(host.call("openAll"))}
          >
            <ChevronsUpDown size={14} aria-hidden="true" />
          </button>
          <button
            type="button"
            className={quietButton}
            aria-label="Collapse all"
            title="Collapse all"
            onClick={() => changed(host.call("closeAll"))}
          >
            <ChevronsDownUp size={14} aria-hidden="true" />
          </button>
          <CopyButton label="Copy as JSON" text={() => host.call("json", 0)}>
            JSON
          </CopyButton>
          {copyAs && (
            <>
              <CopyButton label="Copy as curl" text={() => host.call("publication", "curl", copyAs)}>
                curl
              </CopyButton>
              <CopyButton label="Copy as TypeScript" text={() => host.call("publication", "typescript", copyAs)}>
                TypeScript
              </CopyButton>
            </>
          )}
        </div>
      </div>
      <div
        ref={scroll}
        role="tree"
        aria-label={label}
        tabIndex={0}
        aria-activedescendant={current ? `${id}-${active}` : undefined}
        onKeyDown={onKeyDown}
        className="group/tree max-h-[60vh] overflow-y-auto font-mono text-[0.8125rem] leading-6 -outline-offset-2"
      >
        <div role="presentation" className="relative w-full" style={{ height: virtualizer.getTotalSize() }}>
          {virtualizer.getVirtualItems().map(({ index, start, key }) => {
            const one = row(index);
            if (!one) {
              return (
                <div
                  key={key}
                  role="presentation"
                  className="absolute inset-x-0 m-1.5 h-3 rounded bg-sunken"
                  style={{ transform: `translateY(${start}px)` }}
                />
              );
            }
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
                aria-posinset={one.position}
                aria-setsize={one.siblings}
                aria-expanded={one.isOpen}
                aria-selected={index === active}
                onClick={() => setActive(index)}
                onDoubleClick={() => one.isOpen !== undefined && changed(host.call("toggle", one.node))}
                className="absolute inset-x-0 flex min-h-6 items-start px-2 aria-selected:bg-sunken group-focus-visible/tree:aria-selected:outline-2 group-focus-visible/tree:aria-selected:-outline-offset-2 group-focus-visible/tree:aria-selected:outline-accent"
                style={{ transform: `translateY(${start}px)` }}
              >
                <TreeLine
                  row={one}
                  highlight={search.query === "" ? undefined : { query: search.query, isCurrent: index === active }}
                  onToggle={() => {
                    setActive(index);
                    changed(host.call("toggle", one.node));
                  }}
                  onRead={() => readText(one)}
                />
              </div>
            );
          })}
        </div>
      </div>
      <div className="flex min-h-9 items-center gap-2 border-t border-line px-3 py-1 text-xs text-soft">
        <output aria-label="Path" className="min-w-0 flex-1 truncate font-mono">
          {current?.path ?? "$"}
        </output>
        {current && (
          <>
            <CopyButton label="Copy path" text={() => current.path}>
              Path
            </CopyButton>
            <CopyButton label="Copy value" text={() => host.call("text", current.node)}>
              Value
            </CopyButton>
          </>
        )}
      </div>
      {read && <TextDialog {...read} onClose={() => setRead(undefined)} />}
    </div>
  );
}

/** Searches the whole payload and moves between matches. */
function useSearch(host: Host<JsonTree>, active: number, goTo: (row: number, rows: number) => void) {
  const [query, setQuery] = useState("");
  const [matches, setMatches] = useState<number>();
  const [current, setCurrent] = useState(0);
  const latest = useRef(0);
  const reveal = (match: number) => {
    setCurrent(match);
    then(host.call("reveal", match), ({ row, rows }) => goTo(row, rows));
  };
  const onQuery = (query: string) => {
    const number = ++latest.current;
    setQuery(query);
    setMatches(undefined);
    then(host.call("find", query), (found) => {
      // The search text has changed since.
      if (number !== latest.current) return;
      setMatches(found);
      if (found > 0) then(host.call("matchFrom", active), reveal);
    });
  };
  const onStep = (by: 1 | -1) => {
    if (matches) reveal((current + by + matches) % matches);
  };
  return { query, bar: { query, matches, current, onQuery, onStep } };
}

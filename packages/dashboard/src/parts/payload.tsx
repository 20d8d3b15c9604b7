import { type ReactNode, useState } from "react";

/** Entries of one object or list that are painted at once; the others when they are asked for. */
const PAGE = 100;
/** Deeper than this, branches are closed until somebody opens them. */
const OPEN_DEPTH = 3;

/** A payload to read: as a tree whose branches open and close, or as JSON to copy. */
export function Payload({ value }: { value: unknown }) {
  const [asJson, setAsJson] = useState(false);
  return (
    <section aria-label="Payload">
      <div className="mb-1.5 flex items-center justify-between">
        <h2 className="text-sm font-medium text-soft">Payload</h2>
        <button
          type="button"
          aria-pressed={asJson}
          onClick={() => setAsJson(!asJson)}
          className="rounded-lg border border-line bg-card px-2 py-0.5 text-xs text-soft hover:text-ink aria-pressed:border-accent aria-pressed:text-accent"
        >
          JSON
        </button>
      </div>
      {asJson ? <Json value={value} /> : <Tree value={value} />}
    </section>
  );
}

/** JSON to copy. */
function Json({ value }: { value: unknown }) {
  return (
    <pre
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      className="overflow-x-auto rounded-xl border border-line bg-card p-4 font-mono text-xs leading-5 break-words whitespace-pre-wrap"
    >
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}

/** JSON to read. */
export function Tree({ value }: { value: unknown }) {
  return (
    <div className="rounded-xl border border-line bg-card p-4 font-mono text-xs leading-5 break-words">
      {isBranch(value) ? <Entries value={value} depth={0} /> : <Leaf value={value} />}
    </div>
  );
}

function isBranch(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.keys(value).length > 0;
}

function Entries({ value, depth }: { value: object; depth: number }) {
  const [shown, setShown] = useState(PAGE);
  const entries = Object.entries(value);
  return (
    <ul>
      {entries.slice(0, shown).map(([name, child]) => (
        <li key={name} className="py-px">
          {isBranch(child) ? (
            <Branch name={name} value={child} depth={depth} />
          ) : (
            <span className="block pl-4 -indent-4 whitespace-pre-wrap">
              <Name>{name}</Name>
              <Leaf value={child} />
            </span>
          )}
        </li>
      ))}
      {shown < entries.length && (
        <li>
          <button
            type="button"
            className="text-accent underline underline-offset-2"
            onClick={() => setShown(shown + PAGE)}
          >
            {(entries.length - shown).toLocaleString("en")} more
          </button>
        </li>
      )}
    </ul>
  );
}

function Branch({ name, value, depth }: { name: string; value: object; depth: number }) {
  const [isOpen, setOpen] = useState(depth < OPEN_DEPTH);
  const size = Object.keys(value).length;
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className="w-fit">
        <Name>{name}</Name>
        <span className="text-soft">{Array.isArray(value) ? `[${size}]` : `{${size}}`}</span>
      </summary>
      {/* A closed branch costs nothing, however much is in it. */}
      {isOpen && (
        <div className="ml-1 border-l border-line pl-3.5">
          <Entries value={value} depth={depth + 1} />
        </div>
      )}
    </details>
  );
}

function Name({ children }: { children: ReactNode }) {
  return <span className="mr-1.5 font-medium text-soft">{children}:</span>;
}

function Leaf({ value }: { value: unknown }) {
  const color = typeof value === "string" ? "text-ink" : "text-accent";
  return (
    <span className={color}>{typeof value === "string" ? `"${value}"` : (JSON.stringify(value) ?? "nothing")}</span>
  );
}

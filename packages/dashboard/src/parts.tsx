import type { ReactNode } from "react";

const STATUS_COLOR: Record<string, string> = {
  running: "text-busy",
  success: "text-good",
  idle: "text-soft",
  interrupted: "text-soft",
  cancelled: "text-soft",
};

/** A status as a word in its colour; what is none of the good ones is bad. */
export function Status({ value }: { value: string }) {
  return <span className={`text-sm font-medium ${STATUS_COLOR[value] ?? "text-bad"}`}>{value}</span>;
}

/** What a screen shows when there is nothing to show: what that means, and what to do. */
export function Empty({ children }: { children: ReactNode }) {
  return <p className="mx-auto max-w-md p-10 text-center text-soft">{children}</p>;
}

/** A list on the left, one of its entries on the right; on narrow screens one or the other. */
export function Split({ list, detail, showsDetail }: { list: ReactNode; detail: ReactNode; showsDetail: boolean }) {
  return (
    <div className="grid h-full grid-cols-1 md:grid-cols-[minmax(16rem,24rem)_1fr]">
      <div className={`min-h-0 overflow-y-auto border-line md:block md:border-r ${showsDetail ? "hidden" : ""}`}>
        {list}
      </div>
      <div className={`min-h-0 min-w-0 overflow-y-auto ${showsDetail ? "" : "hidden md:block"}`}>{detail}</div>
    </div>
  );
}

/** A name with its value. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-soft">{name}</dt>
      <dd className="truncate text-sm">{children}</dd>
    </div>
  );
}

/** JSON for reading. */
export function Json({ value }: { value: unknown }) {
  return (
    <pre
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      className="overflow-x-auto rounded-xl border border-line bg-sunken p-4 font-mono text-xs leading-5 whitespace-pre-wrap break-words"
    >
      {JSON.stringify(value, null, 2)}
    </pre>
  );
}

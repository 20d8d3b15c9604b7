import { Ban, Circle, CircleAlert, CircleCheck, LoaderCircle, X } from "lucide-react";
import type { ReactNode } from "react";
import { useLive } from "../live/store.ts";
import { Link } from "../place/link.tsx";
import type { Params } from "../place/place.ts";
import { short } from "./format.ts";

const STATUS: Record<string, { color: string; icon: typeof Circle }> = {
  running: { color: "text-busy", icon: LoaderCircle },
  success: { color: "text-good", icon: CircleCheck },
  idle: { color: "text-soft", icon: Circle },
  interrupted: { color: "text-soft", icon: Ban },
  cancelled: { color: "text-soft", icon: Ban },
};

/** A status as a word and a shape, so that its colour is not all there is; what is none of the good ones is bad. */
export function Status({ value }: { value: string }) {
  const { color, icon: Icon } = STATUS[value] ?? { color: "text-bad", icon: CircleAlert };
  return (
    <span className={`inline-flex shrink-0 items-center gap-1 text-sm font-medium ${color}`}>
      <Icon size={14} aria-hidden="true" className={value === "running" ? "motion-safe:animate-spin" : ""} />
      {value}
    </span>
  );
}

/** A status as a shape alone, where the word stands beside it or is read aloud by other means. */
export function StatusMark({ value }: { value: string }) {
  const { color, icon: Icon } = STATUS[value] ?? { color: "text-bad", icon: CircleAlert };
  return (
    <Icon
      size={14}
      aria-hidden="true"
      className={`shrink-0 ${color} ${value === "running" ? "motion-safe:animate-spin" : ""}`}
    />
  );
}

/** What a screen shows when there is nothing to show: what that means, and what to do. */
export function Empty({ children }: { children: ReactNode }) {
  return <p className="mx-auto max-w-md p-10 text-center text-soft">{children}</p>;
}

/** As `Empty`, for what may still be on its way: says that nothing is there only when that is known. */
export function NothingYet({ children }: { children: ReactNode }) {
  const complete = useLive(({ complete }) => complete);
  return <Empty>{complete ? children : "Waiting for what the server has to tell."}</Empty>;
}

/** A list on the left, one of its entries on the right; on narrow screens one or the other. */
export function Split({ list, detail, showsDetail }: { list: ReactNode; detail: ReactNode; showsDetail: boolean }) {
  return (
    <div className="grid h-full grid-cols-1 md:grid-cols-[minmax(16rem,24rem)_1fr]">
      <div
        className={`min-h-0 overflow-y-auto border-line bg-card md:block md:border-r ${showsDetail ? "hidden" : ""}`}
      >
        {list}
      </div>
      <div className={`min-h-0 min-w-0 overflow-y-auto ${showsDetail ? "" : "hidden md:block"}`}>{detail}</div>
    </div>
  );
}

/** An entry of the list of a `Split`. */
export function Row({ href, isShown, children }: { href: string; isShown: boolean; children: ReactNode }) {
  return (
    <li>
      <Link
        href={href}
        aria-current={isShown ? "true" : undefined}
        className={`block border-b border-l-3 border-b-line py-2.5 pr-4 pl-3.5 -outline-offset-2 hover:bg-sunken ${
          isShown ? "border-l-transparent md:border-l-accent md:bg-sunken" : "border-l-transparent"
        }`}
      >
        {children}
      </Link>
    </li>
  );
}

/** What a list is narrowed to, and the way back to all of it; how much of it is not listed. */
export function ListHead({ filter, all, listed, total }: ListHeadProps) {
  const { workflow, agent } = filter;
  const isNarrowed = workflow !== undefined || agent !== undefined;
  if (!isNarrowed && total <= listed) return null;
  return (
    <div className="flex flex-wrap items-center gap-2 border-b border-line px-4 py-2 text-xs text-soft">
      {agent !== undefined && <span>Agent {agent}</span>}
      {workflow !== undefined && <span>Workflow {short(workflow)}</span>}
      <span className="tabular-nums">
        {total > listed
          ? `The newest ${listed.toLocaleString("en")} of ${total.toLocaleString("en")}`
          : `${total.toLocaleString("en")} listed`}
      </span>
      {isNarrowed && (
        <Link href={all} className="ml-auto flex items-center gap-1 text-accent underline underline-offset-2">
          <X size={12} aria-hidden="true" /> Show all
        </Link>
      )}
    </div>
  );
}

interface ListHeadProps {
  readonly filter: Params;
  /** Where the whole list is. */
  readonly all: string;
  readonly listed: number;
  readonly total: number;
}

/** A name with its value. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-soft">{name}</dt>
      <dd className="truncate text-sm tabular-nums">{children}</dd>
    </div>
  );
}

/** A link to a run or an artifact, in a line with others. */
export function Chip({ href, children }: { href: string; children: ReactNode }) {
  return (
    <Link
      href={href}
      className="inline-block rounded-lg border border-line bg-card px-2.5 py-1 text-sm hover:border-accent"
    >
      {children}
    </Link>
  );
}

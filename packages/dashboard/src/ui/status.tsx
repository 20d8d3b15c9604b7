import { Ban, Circle, CircleAlert, CircleCheck, LoaderCircle } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "../router/link.tsx";
import { useLive } from "../session/store.ts";
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

/** A name with its value. */
export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-xs text-soft">{name}</dt>
      <dd className="truncate text-sm tabular-nums">{children}</dd>
    </div>
  );
}

/** A name with an id, shortened: the whole one is told on hover. */
export function IdFact({ name, id }: { name: string; id: string }) {
  return (
    <Fact name={name}>
      <span title={id} className="font-mono text-xs">
        {short(id)}
      </span>
    </Fact>
  );
}

/** The workflow that something belongs to, with a link to all `things` of it. */
export function WorkflowFact({ id, things, href }: { id: string; things: string; href: string }) {
  return (
    <Fact name="Workflow">
      <Link
        href={href}
        title={id}
        aria-label={`All ${things} of workflow ${short(id)}`}
        className="font-mono text-xs text-accent underline underline-offset-2"
      >
        {short(id)}
      </Link>
    </Fact>
  );
}

/** A link to a run or an artifact, in a line with others. */
export function Chip({ href, title, children }: { href: string; title?: string | undefined; children: ReactNode }) {
  return (
    <Link
      href={href}
      title={title}
      className="inline-block rounded-lg border border-line bg-card px-2.5 py-1 text-sm hover:border-accent"
    >
      {children}
    </Link>
  );
}

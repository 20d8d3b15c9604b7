import type { RunState, StepState, WireError } from "@flock-ts/protocol";
import { BrainCircuit, Wrench } from "lucide-react";
import { ErrorView } from "../../ui/error-view.tsx";
import { amount, duration } from "../../ui/format.ts";
import { Status } from "../../ui/status.tsx";
import { tookOf } from "./step-words.ts";
import { useNow } from "./use-now.ts";

/** A run's steps in order: model and tool calls with duration and usage. */
export function Steps({ run: { steps = [], steps_dropped: dropped = 0, started_at, error } }: { run: RunState }) {
  const now = useNow();
  if (steps.length === 0) return null;
  const begun = Date.parse(started_at);
  const names = [...new Set(steps.flatMap(({ usage = {} }) => Object.keys(usage)))];
  return (
    <section aria-label="Steps">
      <h3 className="mb-1.5 text-sm font-medium text-soft">Steps</h3>
      {dropped > 0 && (
        <p className="mb-1 text-xs text-soft">
          {`Showing the latest ${steps.length}; ${dropped.toLocaleString("en")} earlier steps are not retained.`}
        </p>
      )}
      <div
        // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions must be reachable by keyboard
        tabIndex={0}
        className="@container overflow-x-auto rounded-xl border border-line bg-card"
      >
        <table className="w-full text-sm tabular-nums">
          <thead className="text-left text-xs text-soft">
            <tr>
              <Head>Step</Head>
              <Head>Status</Head>
              <Head isNumber>Start</Head>
              <Head isNumber>Duration</Head>
              {names.map((name) => (
                <Head key={name} isNumber>
                  {name.replaceAll("_", " ")}
                </Head>
              ))}
            </tr>
          </thead>
          <tbody>
            {steps.map((step) => (
              <Row key={step.step} step={step} begun={begun} now={now} names={names} runError={error} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({ step, begun, now, names, runError }: RowProps) {
  const { kind, name, status, usage = {}, error } = step;
  const isShownAbove = error !== undefined && error.name === runError?.name && error.message === runError.message;
  const Icon = kind === "model" ? BrainCircuit : Wrench;
  return (
    <>
      <tr className="border-t border-line">
        <th scope="row" className="px-3 py-1.5 text-left font-normal">
          <span className="flex min-w-0 items-center gap-2">
            <Icon size={14} aria-hidden="true" className="shrink-0 text-soft" />
            <span className="text-xs text-soft">{kind}</span>
            <span className="font-mono text-xs whitespace-nowrap">{name}</span>
          </span>
        </th>
        <td className="px-3 py-1.5">
          <Status value={status} />
        </td>
        <Cell>{duration(Math.max(0, Date.parse(step.started_at) - begun))}</Cell>
        <Cell>{duration(tookOf(step, now))}</Cell>
        {names.map((each) => (
          <Cell key={each}>{usage[each] === undefined ? "" : amount(usage[each])}</Cell>
        ))}
      </tr>
      {error && !isShownAbove && (
        <tr>
          <td colSpan={4 + names.length} className="px-3 pb-2">
            <div className="sticky left-3 w-[min(100%,calc(100cqw-1.5rem))]">
              <ErrorView error={error} />
            </div>
          </td>
        </tr>
      )}
    </>
  );
}

interface RowProps {
  readonly step: StepState;
  /** The start of the run, in ms as `Date.now()` counts. */
  readonly begun: number;
  readonly now: number;
  /** The usage names of all steps. */
  readonly names: readonly string[];
  /** The run's error, which is shown above already. */
  readonly runError: WireError | undefined;
}

function Head({ children, isNumber = false }: { children: string; isNumber?: boolean }) {
  return (
    <th scope="col" className={`px-3 py-1.5 font-normal whitespace-nowrap ${isNumber ? "text-right" : ""}`}>
      {children}
    </th>
  );
}

function Cell({ children }: { children: string }) {
  return <td className="px-3 py-1.5 text-right whitespace-nowrap">{children}</td>;
}

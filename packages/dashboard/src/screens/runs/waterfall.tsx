import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import { Link } from "../../router/link.tsx";
import { type Params, pathOf, useParam } from "../../router/route.ts";
import { useThrottledState } from "../../session/throttled-state.ts";
import { amount, duration } from "../../ui/format.ts";
import { moveBetweenLinks } from "../../ui/row-keys.ts";
import { StatusMark } from "../../ui/status.tsx";
import { stepsInWords } from "./step-words.ts";
import { useNow } from "./use-now.ts";
import { type Bar, type StepBar, type Workflow, workflowOf } from "./workflow.ts";

const ROW_PX = 28;
/** A fixed height for any number of runs, so that nothing below moves. */
const ROOM = "h-[clamp(7rem,18vh,20rem)] overflow-y-auto";
/** Divisions of the time axis. */
const TICKS = 4;

/** The runs of a workflow on one time axis. */
export function Waterfall({ correlationId, shown, filter }: WaterfallProps) {
  const state = useThrottledState();
  const now = useNow();
  const workflow = useMemo(() => workflowOf(state, correlationId, now), [state, correlationId, now]);
  const [view, setView] = useParam("view");
  const isFlame = view === "flame";
  const span = Math.max(1, workflow.to - workflow.from);
  return (
    <section aria-label="Workflow" className="rounded-xl border border-line bg-card">
      <header className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 border-b border-line px-4 py-2 text-sm">
        <h3 className="font-medium">Workflow</h3>
        <p className="order-last min-h-5 basis-full text-soft tabular-nums">
          {workflow.bars.length > 0 && <Summary workflow={workflow} span={span} />}
        </p>
        <fieldset className="flex overflow-hidden rounded-lg border border-line text-xs">
          <legend className="sr-only">Workflow view</legend>
          {["Waterfall", "Flame"].map((name) => {
            const isOn = (name === "Flame") === isFlame;
            return (
              <button
                key={name}
                type="button"
                aria-pressed={isOn}
                onClick={() => setView(name === "Flame" ? "flame" : undefined)}
                className={`px-2.5 py-1 -outline-offset-2 ${isOn ? "bg-accent-soft font-medium text-accent" : "text-soft"}`}
              >
                {name}
              </button>
            );
          })}
        </fieldset>
      </header>
      <Axis span={span} hasNames={!isFlame} />
      {isFlame ? (
        <Flame workflow={workflow} span={span} shown={shown} filter={filter} />
      ) : (
        <Bars workflow={workflow} span={span} shown={shown} filter={filter} />
      )}
      <Legend />
    </section>
  );
}

function Summary({
  workflow: { bars, failed, running, artifacts, usage },
  span,
}: {
  workflow: Workflow;
  span: number;
}) {
  return (
    <>
      {`${bars.length} ${bars.length === 1 ? "run" : "runs"} in ${duration(span)}`}
      {failed > 0 && <span className="text-bad">{` · ${failed} failed`}</span>}
      {running > 0 && <span className="text-busy">{` · ${running} running`}</span>}
      {` · ${artifacts} ${artifacts === 1 ? "artifact" : "artifacts"}`}
      {Object.entries(usage).map(([name, sum]) => ` · ${amount(sum)} ${name.replaceAll("_", " ")}`)}
    </>
  );
}

interface WaterfallProps {
  readonly correlationId: string;
  /** The run whose row is highlighted. */
  readonly shown: string;
  readonly filter: Params;
}

interface DrawnProps {
  readonly workflow: Workflow;
  readonly span: number;
  readonly shown: string;
  readonly filter: Params;
}

/** Returns the relative position of a time within the workflow. */
function at(time: number, { from }: Workflow, span: number): string {
  return `${((time - from) / span) * 100}%`;
}

function Axis({ span, hasNames }: { span: number; hasNames: boolean }) {
  return (
    <div className="flex px-4 pt-1.5 text-[11px] text-soft tabular-nums" aria-hidden="true">
      {hasNames && <span className="w-36 shrink-0 sm:w-44" />}
      <div className="@container relative h-4 flex-1">
        {Array.from({ length: TICKS + 1 }, (_, tick) => (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: a tick is its index
            key={tick}
            style={{ left: `${(tick / TICKS) * 100}%` }}
            className={`absolute whitespace-nowrap ${tick === 0 ? "" : tick === TICKS ? "-translate-x-full" : "hidden -translate-x-1/2 @xs:block"}`}
          >
            {tick === 0 ? "0" : duration((span * tick) / TICKS)}
          </span>
        ))}
      </div>
      {hasNames && <span className="w-16 shrink-0" />}
    </div>
  );
}

/** A row for each run. Only visible rows are rendered. */
function Bars({ workflow, span, shown, filter }: DrawnProps) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: workflow.bars.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 8,
  });
  const index = workflow.bars.findIndex(({ run }) => run.run_id === shown);
  const isThere = index >= 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: scrolls only when another run is shown
  useEffect(() => {
    if (isThere) rows.scrollToIndex(index);
  }, [shown, isThere]);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys are those of the links in it
    <div ref={box} onKeyDown={moveBetweenLinks} className={`${ROOM} px-2`}>
      <ol aria-label="Runs of this workflow" style={{ height: rows.getTotalSize() }} className="relative">
        {rows.getVirtualItems().map(({ index, start }) => {
          const bar = workflow.bars[index] as Bar;
          const isShown = bar.run.run_id === shown;
          return (
            <li
              key={bar.run.run_id}
              style={{ transform: `translateY(${start}px)`, height: ROW_PX }}
              className="absolute inset-x-0"
            >
              <Link
                href={pathOf("runs", bar.run.run_id, filter)}
                aria-current={isShown ? "true" : undefined}
                aria-label={wordsOf(bar)}
                title={wordsOf(bar)}
                className={`flex h-full items-center rounded-md px-2 text-sm -outline-offset-2 hover:bg-sunken ${isShown ? "bg-accent-soft" : ""}`}
              >
                <span className="flex w-36 shrink-0 items-center gap-1.5 pr-2 sm:w-44">
                  <StatusMark value={bar.run.status} />
                  <span className={`truncate ${bar.isCritical ? "font-semibold" : ""}`}>{bar.run.agent_id}</span>
                  {bar.run.attempt > 1 && <span className="text-xs text-busy">×{bar.run.attempt}</span>}
                </span>
                <span className="relative h-5 flex-1">
                  <Drawn bar={bar} workflow={workflow} span={span} />
                </span>
                <span className="w-14 shrink-0 text-right text-xs text-soft tabular-nums">
                  {duration(bar.endedAt - bar.startedAt)}
                </span>
              </Link>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function Drawn({ bar, workflow, span }: { bar: Bar; workflow: Workflow; span: number }) {
  const part = (from: number, to: number, look: string) =>
    to > from && (
      <span
        style={{ left: at(from, workflow, span), width: `${((to - from) / span) * 100}%` }}
        className={`absolute inset-y-0.5 ${look}`}
      />
    );
  return (
    <>
      {part(bar.gateFrom, bar.queuedFrom, "wait-gate")}
      {part(bar.queuedFrom, bar.startedAt, "wait-turn")}
      <span
        style={{ left: at(bar.startedAt, workflow, span), width: `${((bar.endedAt - bar.startedAt) / span) * 100}%` }}
        className={`absolute inset-y-0 min-w-1 rounded-xs ${lookOf(bar)} ${bar.isCritical ? "outline-2 outline-offset-1 outline-ink/60" : ""}`}
      />
      {bar.steps.map((one) => (
        <span
          key={one.step.step}
          style={{
            left: at(one.startedAt, workflow, span),
            width: `${((one.endedAt - one.startedAt) / span) * 100}%`,
            top: `calc(3px + (100% - 6px) * ${one.lane / one.lines})`,
            height: `calc((100% - 6px) / ${one.lines})`,
          }}
          className={`@container absolute min-w-1 overflow-hidden text-[10px] leading-[11px] ${stepLookOf(one)}`}
        >
          {one.lines === 1 && <span className="hidden truncate px-1 @[3.5rem]:block">{one.step.name}</span>}
        </span>
      ))}
    </>
  );
}

/** One band per level of causation, with time from left to right. */
function Flame({ workflow, span, shown, filter }: DrawnProps) {
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: as above
    <div onKeyDown={moveBetweenLinks} className={`${ROOM} px-4 py-1`}>
      <ol
        aria-label="Runs of this workflow, by cause"
        style={{ height: workflow.lanes * ROW_PX }}
        className="relative overflow-x-clip"
      >
        {workflow.bars.map((bar) => (
          <li key={bar.run.run_id}>
            <Link
              href={pathOf("runs", bar.run.run_id, filter)}
              aria-label={wordsOf(bar)}
              title={wordsOf(bar)}
              style={{
                top: bar.lane * ROW_PX + 2,
                left: at(bar.startedAt, workflow, span),
                width: `max(4px, ${((bar.endedAt - bar.startedAt) / span) * 100}%)`,
                height: ROW_PX - 4,
              }}
              className={`absolute overflow-hidden rounded-xs px-1.5 text-xs leading-6 whitespace-nowrap text-on-bar ${lookOf(bar)} ${
                bar.run.run_id === shown ? "outline-2 outline-offset-1 outline-accent" : ""
              }`}
            >
              {bar.run.agent_id}
            </Link>
            {bar.steps.length > 0 && (
              <ul aria-label={`Steps of ${bar.run.agent_id}`}>
                {bar.steps.map((one) => (
                  <li
                    key={one.step.step}
                    title={stepInWords(one)}
                    style={{
                      top: (bar.lane + 1 + one.lane) * ROW_PX + 2,
                      left: at(one.startedAt, workflow, span),
                      width: `max(4px, ${((one.endedAt - one.startedAt) / span) * 100}%)`,
                      height: ROW_PX - 6,
                    }}
                    className={`@container absolute overflow-hidden text-xs leading-5 whitespace-nowrap ${stepLookOf(one)}`}
                  >
                    <span className="sr-only">{stepInWords(one)}</span>
                    <span aria-hidden="true" className="hidden truncate px-1.5 @[2.5rem]:block">
                      {one.step.name}
                    </span>
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

function lookOf({ run: { status } }: Bar): string {
  if (status === "running") return "bar-running";
  if (status === "success") return "bar-success";
  return status === "cancelled" || status === "interrupted" ? "bar-stopped" : "bar-failed";
}

/** Models are round, tools have corners and a dashed line, so that color is not the only difference. */
function stepLookOf({ step: { kind, status } }: StepBar): string {
  const look = kind === "model" ? "step-model" : "step-tool";
  return `${look} ${status === "error" ? "step-failed" : status === "running" ? "step-running" : ""}`;
}

function stepInWords({ step: { kind, name, status }, startedAt, endedAt }: StepBar): string {
  return `${kind} ${name}, ${status === "running" ? "running for" : `${status} after`} ${duration(endedAt - startedAt)}`;
}

/** Describes a bar for screen readers. */
function wordsOf({ run, gateFrom, queuedFrom, startedAt, endedAt, steps, isCritical }: Bar): string {
  const parts = [
    `${run.agent_id}, ${run.status}`,
    queuedFrom > gateFrom ? `waited ${duration(queuedFrom - gateFrom)} at its gate` : "",
    startedAt > queuedFrom ? `queued ${duration(startedAt - queuedFrom)}` : "",
    `${run.status === "running" ? "running for" : "ran"} ${duration(endedAt - startedAt)}`,
    ...stepsInWords(steps),
    isCritical ? "on the critical path" : "",
  ];
  return parts.filter(Boolean).join(", ");
}

function Legend() {
  const entry = (look: string, words: string) => (
    <li className="flex items-center gap-1.5">
      <span className={`inline-block h-3 w-5 rounded-xs ${look}`} aria-hidden="true" /> {words}
    </li>
  );
  return (
    <ul className="flex flex-wrap gap-x-4 gap-y-1 border-t border-line px-4 py-2 text-xs text-soft">
      {entry("wait-gate", "waiting at gate")}
      {entry("wait-turn", "queued")}
      {entry("bar-success", "ran")}
      {entry("bar-failed", "failed")}
      {entry("step-model", "model call")}
      {entry("step-tool", "tool call")}
      {entry("bar-success outline-2 outline-ink/60 scale-90", "critical path")}
    </ul>
  );
}

import { ChevronFirst, ChevronLast, Pause, Play, SkipBack, SkipForward } from "lucide-react";
import { useEffect, useRef } from "react";
import type { SessionView } from "../../session/store.ts";
import { session, timeTravel, usePlaying, useSession } from "../../session/tab-session.ts";
import { SPEEDS } from "../../session/time-travel.ts";
import { clock } from "../../ui/format.ts";
import { Density } from "./density.ts";
import { lookForError } from "./look-for-error.ts";
import { MomentField } from "./moment-field.tsx";
import { RangeMarks } from "./range-marks.tsx";
import { WholeLog } from "./whole-log.tsx";

const BUTTON =
  "grid size-8 shrink-0 place-items-center rounded-lg text-soft hover:bg-sunken hover:text-ink disabled:opacity-40";

/**
 * The timeline at the bottom of every screen: event density, failures, and the position shown. On narrow windows the
 * buttons have a separate row.
 */
export function TimelineBar() {
  const at = useSession(({ at }) => at);
  const first = useSession((live) => spanOf(live).first);
  const last = useSession((live) => spanOf(live).last);
  const speed = usePlaying(({ speed }) => speed);
  const seq = useSession(({ at, last }) => at ?? last);
  const moment = useSession(({ log }) => log.at(-1)?.timestamp);
  const isEmpty = last < first;
  return (
    <section
      aria-label="Timeline"
      className="flex flex-wrap items-center gap-1 border-t border-line bg-card px-2 py-1.5 sm:flex-nowrap md:col-span-2 md:px-4"
    >
      <button
        type="button"
        aria-label={speed === null ? "Play" : "Pause"}
        title="Play or pause (k)"
        disabled={isEmpty}
        className={BUTTON}
        onClick={() => (speed === null ? timeTravel.play(1) : timeTravel.pause())}
      >
        {speed === null ? <Play size={16} aria-hidden="true" /> : <Pause size={16} aria-hidden="true" />}
      </button>
      <select
        aria-label="Speed"
        value={speed ?? 1}
        disabled={isEmpty}
        onChange={(change) => timeTravel.play(Number(change.target.value))}
        className="hidden h-8 rounded-lg bg-transparent text-sm text-soft tabular-nums sm:block"
      >
        {SPEEDS.map((each) => (
          <option key={each} value={each}>
            {each}×
          </option>
        ))}
      </select>
      <button
        type="button"
        aria-label="Previous event"
        title="Previous event (,)"
        disabled={isEmpty}
        className={BUTTON}
        onClick={() => timeTravel.step(-1)}
      >
        <ChevronFirst size={16} aria-hidden="true" />
      </button>
      <button
        type="button"
        aria-label="Next event"
        title="Next event (.)"
        disabled={isEmpty}
        className={BUTTON}
        onClick={() => timeTravel.step(1)}
      >
        <ChevronLast size={16} aria-hidden="true" />
      </button>
      <button
        type="button"
        aria-label="Previous error"
        title="Previous error ([)"
        disabled={isEmpty}
        className={`${BUTTON} max-[22.5rem]:hidden`}
        onClick={() => lookForError(-1)}
      >
        <SkipBack size={16} aria-hidden="true" className="text-bad" />
      </button>
      <button
        type="button"
        aria-label="Next error"
        title="Next error (])"
        disabled={isEmpty}
        className={`${BUTTON} max-[22.5rem]:hidden`}
        onClick={() => lookForError(1)}
      >
        <SkipForward size={16} aria-hidden="true" className="text-bad" />
      </button>
      <WholeLog />
      <div className="relative h-9 min-w-0 flex-1 max-sm:order-first max-sm:basis-full sm:mx-2">
        <DensityPicture />
        <input
          type="range"
          aria-label="Seq"
          aria-valuetext={`seq ${seq}${moment ? `, ${clock(moment)}` : ""}`}
          min={Math.min(first, last)}
          max={last}
          value={seq}
          disabled={isEmpty}
          onChange={(change) => {
            timeTravel.pause();
            timeTravel.travelTo(Number(change.target.value));
          }}
          className="timeline-range absolute inset-0 w-full"
        />
        <RangeMarks />
      </div>
      <MomentField />
      <button
        type="button"
        aria-pressed={at === null}
        title="Go live (l)"
        onClick={() => timeTravel.goLive()}
        className={`shrink-0 rounded-lg border px-2.5 py-1 sm:ml-2 sm:px-3 text-sm font-medium ${
          at === null ? "border-line text-soft" : "border-accent bg-accent text-on-accent"
        }`}
      >
        {at === null ? "Following" : "Go live"}
      </button>
    </section>
  );
}

/** Returns the range of seqs on the timeline: the tab's part of the log around the position shown. */
function spanOf({ first, last, past }: SessionView): { readonly first: number; readonly last: number } {
  return past ? { first: past.from, last: past.to } : { first, last };
}

/** The number of bars, and the shortest time between two paints, in ms, since every event moves all bars. */
const BARS = 160;
const DRAW_MS = 250;

/** The event density over seqs, with failures below. Painted outside React. */
function DensityPicture() {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const density = new Density();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      timer = undefined;
      if (canvas.current) paint(canvas.current, density);
    };
    const later = () => {
      timer ??= setTimeout(draw, DRAW_MS);
    };
    draw();
    const stop = useSession.subscribe((now, before) => {
      const [is, was] = [spanOf(now), spanOf(before)];
      if (is.first !== was.first || is.last !== was.last || now.at !== before.at) later();
    });
    const sized = new ResizeObserver(later);
    if (canvas.current) sized.observe(canvas.current);
    const themed = new MutationObserver(later);
    themed.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => {
      stop();
      sized.disconnect();
      themed.disconnect();
      clearTimeout(timer);
    };
  }, []);
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: a canvas without a tabindex is not focusable
    <canvas ref={canvas} aria-hidden="true" className="absolute inset-0 size-full" />
  );
}

function paint(canvas: HTMLCanvasElement, density: Density): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = devicePixelRatio;
  canvas.width = width * scale;
  canvas.height = height * scale;
  context.scale(scale, scale);
  const { first, last } = spanOf(useSession.getState());
  // The whole timeline, regardless of the seq shown.
  const log = session.shownTimeline.log();
  if (last < first) return;
  const { weights, failures } = density.of(log, first, last, BARS);
  const style = getComputedStyle(canvas);
  const most = Math.max(1, ...weights);
  const step = width / BARS;
  for (let bar = 0; bar < BARS; bar++) {
    const weight = weights[bar] as number;
    const tall = weight === 0 ? 0 : 2 + (weight / most) * (height - 12);
    context.fillStyle = style.getPropertyValue("--density");
    context.fillRect(bar * step, height - 7 - tall, Math.max(1, step - 1), tall);
    if ((failures[bar] as number) === 0) continue;
    context.fillStyle = style.getPropertyValue("--bad");
    context.fillRect(bar * step, height - 5, Math.max(2, step - 1), 4);
  }
}

import type { SubscriptionInfo } from "@flock-ts/protocol";
import { Cron } from "croner";
import { z } from "zod";
import { artifact } from "../blackboard/artifact-type.ts";
import { checkOptions, FlockError } from "../core/errors.ts";
import type { ScheduleState } from "../store/store.ts";

/**
 * What wakes an agent that has a schedule: a time has come. `scheduled_for` is that time, `count` says the how many-th
 * tick of its schedule it is, `missed` how many times passed without one since the tick before: because a run went on,
 * or because no process did.
 */
export const ScheduleTick = artifact(
  "ScheduleTick",
  z.object({
    agent: z.string(),
    scheduled_for: z.iso.datetime(),
    count: z.int().min(1),
    missed: z.int().min(0),
  }),
);

/** What every schedule can be told. */
export interface ScheduleOptions {
  /**
   * What becomes of a time that comes while a run of this schedule is queued or goes on: `"skip"` lets it pass, `"queue"`
   * wakes the agent all the same, and its `concurrency` says whether the run waits. Default `"skip"`.
   */
  readonly overlap?: "skip" | "queue";
  /**
   * What becomes of times that passed more than a minute ago, because no process ran or the machine slept: `"once"` makes
   * up for all of them with one tick, `"skip"` with none. Default `"once"`.
   */
  readonly missed?: "once" | "skip";
  /** After so many ticks it ends. With a store in a file those of earlier processes count. Default: never. */
  readonly maxTicks?: number;
}

/** What `every` can be told. */
export interface EveryOptions extends ScheduleOptions {
  /** Before the first tick, in ms; 0 for at once. Default: the interval. */
  readonly initialDelay?: number;
}

/** What `cron` can be told. */
export interface CronOptions extends ScheduleOptions {
  /** The zone in which the expression is read, such as `"Europe/Berlin"`. Default: the zone of the process. */
  readonly timezone?: string;
}

/** Times of a schedule that are due. */
export interface Due {
  /** The newest of them, in milliseconds. */
  readonly at: number;
  /** How many they are. */
  readonly times: number;
}

/** Later than this (ms) a time has been missed: shorter than any downtime that matters, longer than a process stalls. */
export const MISSED_AFTER_MS = 60_000;

/** The times of a cron expression are counted up to here: a second's schedule that slept a month need not count long. */
const MAX_COUNTED = 1_000;

/** How far back the newest time is looked for at first, in ms. */
const FIRST_LOOK_BACK_MS = 60_000;

const optionsShape = {
  overlap: z.enum(["skip", "queue"]).default("skip"),
  missed: z.enum(["once", "skip"]).default("once"),
  maxTicks: z.int().min(1).optional(),
};
const everySchema = z.strictObject({ ...optionsShape, initialDelay: z.int().min(0).optional() });
const cronSchema = z.strictObject({ ...optionsShape, timezone: z.string().min(1).optional() });

/** When an agent is woken by time. */
export abstract class Schedule {
  readonly overlap: "skip" | "queue";
  readonly missed: "once" | "skip";
  readonly maxTicks: number;
  /** The same for the same times: what has become of them is remembered under it. */
  abstract readonly spec: string;
  /** As the wire tells it. */
  abstract readonly told: Omit<NonNullable<SubscriptionInfo["schedule"]>, "ticks" | "next_at">;

  constructor({ overlap, missed, maxTicks }: z.output<z.ZodObject<typeof optionsShape>>) {
    this.overlap = overlap;
    this.missed = missed;
    this.maxTicks = maxTicks ?? Number.POSITIVE_INFINITY;
  }

  /** How it stands when it begins. */
  abstract begin(now: number): ScheduleState;

  /** The first time after those that are dealt with, in milliseconds; undefined when none comes any more. */
  abstract next(state: ScheduleState): number | undefined;

  /** The times that have come and are not dealt with; undefined when there are none. */
  abstract due(state: ScheduleState, now: number): Due | undefined;
}

class Every extends Schedule {
  readonly spec: string;
  readonly told;
  readonly #ms: number;
  readonly #initialDelay: number;

  constructor(ms: number, { initialDelay = ms, ...options }: z.output<typeof everySchema>) {
    super(options);
    this.spec = `every ${ms}`;
    this.told = { every_ms: ms };
    this.#ms = ms;
    this.#initialDelay = initialDelay;
  }

  begin(now: number): ScheduleState {
    const origin = now + this.#initialDelay;
    return { origin, seen: origin - 1, count: 0, missed: 0 };
  }

  // All times lie on one grid, so that nothing drifts, however late timers come.
  next({ origin, seen }: ScheduleState): number {
    return origin + (Math.floor((seen - origin) / this.#ms) + 1) * this.#ms;
  }

  due(state: ScheduleState, now: number): Due | undefined {
    const first = this.next(state);
    if (first > now) return undefined;
    const times = Math.floor((now - first) / this.#ms) + 1;
    return { at: first + (times - 1) * this.#ms, times };
  }
}

class CronSchedule extends Schedule {
  readonly spec: string;
  readonly told;
  readonly #cron: Cron;

  constructor(cron: Cron, expression: string, { timezone, ...options }: z.output<typeof cronSchema>) {
    super(options);
    this.spec = timezone === undefined ? `cron ${expression}` : `cron ${expression} ${timezone}`;
    this.told = { cron: expression, ...(timezone === undefined ? {} : { timezone }) };
    this.#cron = cron;
  }

  begin(now: number): ScheduleState {
    return { origin: now, seen: now, count: 0, missed: 0 };
  }

  next({ seen }: ScheduleState): number | undefined {
    return this.#after(seen);
  }

  due({ seen }: ScheduleState, now: number): Due | undefined {
    let at: number | undefined;
    let times = 0;
    for (let next = this.#after(seen); next !== undefined && next <= now; next = this.#after(next)) {
      if (times === MAX_COUNTED) return { at: this.#newest(next, now), times };
      at = next;
      times += 1;
    }
    return at === undefined ? undefined : { at, times };
  }

  /** The newest time until now, when there is one from `known` on. */
  #newest(known: number, now: number): number {
    let newest = known;
    for (let back = FIRST_LOOK_BACK_MS; now - back > known; back *= 2) {
      const found = this.#after(now - back);
      if (found === undefined || found > now) continue;
      newest = found;
      break;
    }
    for (let next = this.#after(newest); next !== undefined && next <= now; next = this.#after(next)) newest = next;
    return newest;
  }

  #after(time: number): number | undefined {
    return this.#cron.nextRun(new Date(time))?.getTime();
  }
}

/**
 * A time each so many milliseconds.
 * @throws FlockError `invalid_options`.
 */
export function everySchedule(what: string, ms: number, options: EveryOptions): Schedule {
  const interval = checkOptions(`${what}: every`, z.int("must be whole milliseconds, from 1").min(1), ms);
  return new Every(interval, checkOptions(`${what}: every`, everySchema, options));
}

/**
 * The times of a cron expression.
 * @throws FlockError `invalid_options`.
 */
export function cronSchedule(what: string, expression: string, options: CronOptions): Schedule {
  const checked = checkOptions(`${what}: cron`, cronSchema, options);
  const { timezone } = checked;
  const wrong = (why: string, cause?: unknown) =>
    new FlockError("invalid_options", `${what}: cron ${JSON.stringify(expression)} ${why}`, { cause });
  if (timezone !== undefined && !isTimezone(timezone)) {
    throw wrong(`has the timezone ${JSON.stringify(timezone)}, which is none: give a name such as "Europe/Berlin"`);
  }
  let cron: Cron;
  try {
    cron = new Cron(expression, { paused: true, ...(timezone === undefined ? {} : { timezone }) });
  } catch (cause) {
    const reason = String((cause as Error).message).replace(/^CronPattern: /, "");
    throw wrong(`cannot be read: ${reason}. Write minute, hour, day, month and weekday, as in "0 9 * * 1-5"`, cause);
  }
  // The library takes a point in time as well.
  if (cron.getPattern() === undefined) throw wrong('is no expression: write one as in "0 9 * * 1-5"');
  if (!cron.nextRun()) throw wrong("never comes: there is no such day");
  return new CronSchedule(cron, expression, checked);
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

import type { SubscriptionInfo } from "@flock-ts/protocol";
import { Cron } from "croner";
import { z } from "zod";
import { artifact } from "../blackboard/artifact-type.ts";
import { checkOptions, FlockError } from "../core/errors.ts";
import type { ScheduleState } from "../store/store.ts";

/**
 * The artifact that triggers an agent with a schedule.
 * `scheduled_for` is the scheduled time and `count` the tick's number, from 1. `missed` counts the times without a tick
 * since the previous one, because a run was active or no process was running.
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

/** Options of every schedule. */
export interface ScheduleOptions {
  /**
   * Handles a time that comes while a run of this schedule is queued or active. `"skip"` drops it. `"queue"` triggers
   * the agent, subject to its `concurrency`. Default: `"skip"`.
   */
  readonly overlap?: "skip" | "queue";
  /**
   * Handles times that passed more than a minute ago, because no process was running or the machine was asleep.
   * `"once"` replaces them with one tick, `"skip"` with none. Default: `"once"`.
   */
  readonly missed?: "once" | "skip";
  /**
   * Number of ticks after which the schedule ends. With a persistent store, ticks of earlier processes count. Default:
   * unlimited.
   */
  readonly maxTicks?: number;
}

/** Options of `every`. */
export interface EveryOptions extends ScheduleOptions {
  /** Delay before the first tick, in ms; 0 starts immediately. Default: the interval. */
  readonly initialDelay?: number;
}

/** Options of `cron`. */
export interface CronOptions extends ScheduleOptions {
  /** Time zone of the expression, such as `"Europe/Berlin"`. Default: the time zone of the process. */
  readonly timezone?: string;
}

/** Times of a schedule that are due. */
export interface Due {
  /** The latest of them, in milliseconds. */
  readonly at: number;
  /** The number of due times. */
  readonly times: number;
}

/**
 * Delay in ms after which a time counts as missed: shorter than any relevant downtime, longer than a process stalls.
 */
export const MISSED_AFTER_MS = 60_000;

/**
 * Limit for counting due times of a cron expression. A per-second schedule after a month of sleep needs no exact count.
 */
const MAX_COUNTED = 1_000;

/** Initial distance to look back for the latest time, in ms. */
const FIRST_LOOK_BACK_MS = 60_000;

const optionsShape = {
  overlap: z.enum(["skip", "queue"]).default("skip"),
  missed: z.enum(["once", "skip"]).default("once"),
  maxTicks: z.int().min(1).optional(),
};
const everySchema = z.strictObject({ ...optionsShape, initialDelay: z.int().min(0).optional() });
const cronSchema = z.strictObject({ ...optionsShape, timezone: z.string().min(1).optional() });

/** Computes the times that trigger an agent. */
export abstract class Schedule {
  readonly overlap: "skip" | "queue";
  readonly missed: "once" | "skip";
  readonly maxTicks: number;
  /** Identifies the schedule's times; its state is stored under this key. */
  abstract readonly spec: string;
  /** The schedule's fields in its wire form. */
  abstract readonly wireFields: Omit<NonNullable<SubscriptionInfo["schedule"]>, "ticks" | "next_at">;

  constructor({ overlap, missed, maxTicks }: z.output<z.ZodObject<typeof optionsShape>>) {
    this.overlap = overlap;
    this.missed = missed;
    this.maxTicks = maxTicks ?? Number.POSITIVE_INFINITY;
  }

  /** Returns the initial state. */
  abstract begin(now: number): ScheduleState;

  /** Returns the first time after the processed ones, in milliseconds; undefined when there is none. */
  abstract next(state: ScheduleState): number | undefined;

  /** Returns the due times that are not yet processed; undefined when there are none. */
  abstract due(state: ScheduleState, now: number): Due | undefined;
}

class Every extends Schedule {
  readonly spec: string;
  readonly wireFields;
  readonly #ms: number;
  readonly #initialDelay: number;

  constructor(ms: number, { initialDelay = ms, ...options }: z.output<typeof everySchema>) {
    super(options);
    this.spec = `every ${ms}`;
    this.wireFields = { every_ms: ms };
    this.#ms = ms;
    this.#initialDelay = initialDelay;
  }

  begin(now: number): ScheduleState {
    const origin = now + this.#initialDelay;
    return { origin, seen: origin - 1, count: 0, missed: 0 };
  }

  // All times are on a fixed grid, so late timers cause no drift.
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
  readonly wireFields;
  readonly #cron: Cron;

  constructor(cron: Cron, expression: string, { timezone, ...options }: z.output<typeof cronSchema>) {
    super(options);
    this.spec = timezone === undefined ? `cron ${expression}` : `cron ${expression} ${timezone}`;
    this.wireFields = { cron: expression, ...(timezone === undefined ? {} : { timezone }) };
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

  /** Returns the latest time until `now`; `known` is one of the times. */
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
 * Creates a schedule with a fixed interval.
 * @throws FlockError `invalid_options`.
 */
export function everySchedule(agent: string, ms: number, options: EveryOptions): Schedule {
  const interval = checkOptions(
    `\`every\` of agent \`${agent}\``,
    z.int("must be an integer number of milliseconds, at least 1").min(1),
    ms,
  );
  return new Every(interval, checkOptions(`\`every\` of agent \`${agent}\``, everySchema, options));
}

/**
 * Creates a schedule from a cron expression.
 * @throws FlockError `invalid_options`.
 */
export function cronSchedule(agent: string, expression: string, options: CronOptions): Schedule {
  const checked = checkOptions(`\`cron\` of agent \`${agent}\``, cronSchema, options);
  const { timezone } = checked;
  const invalid = (why: string, cause?: unknown) =>
    new FlockError("invalid_options", `Invalid cron expression \`${expression}\` of agent \`${agent}\`: ${why}`, {
      cause,
    });
  if (timezone !== undefined && !isTimezone(timezone)) {
    throw invalid(`unknown time zone \`${timezone}\`. Use a name such as \`Europe/Berlin\`.`);
  }
  let cron: Cron;
  try {
    cron = new Cron(expression, { paused: true, ...(timezone === undefined ? {} : { timezone }) });
  } catch (cause) {
    const reason = String((cause as Error).message).replace(/^CronPattern: /, "");
    throw invalid(`${reason}. Use minute, hour, day, month and weekday, such as \`0 9 * * 1-5\`.`, cause);
  }
  // The library also accepts a point in time.
  if (cron.getPattern() === undefined) throw invalid("it is not a cron expression. Use one such as `0 9 * * 1-5`.");
  if (!cron.nextRun()) throw invalid("it never matches. Use a date that exists.");
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

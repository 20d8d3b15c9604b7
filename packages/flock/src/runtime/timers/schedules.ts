import type { SubscriptionInfo } from "@flock-ts/protocol";
import type { AgentDefinition } from "../../agents/definition.ts";
import { MISSED_AFTER_MS, type Schedule, ScheduleTick } from "../../agents/schedule.ts";
import type { Subscription } from "../../agents/subscription.ts";
import type { Draft } from "../../blackboard/artifact-type.ts";
import type { Clock } from "../../core/clock.ts";
import type { RunLog } from "../../core/logger.ts";
import { outside } from "../../core/outside.ts";
import { isoTime } from "../../core/time.ts";
import type { Journal } from "../../store/journal.ts";
import type { ScheduleRecord, ScheduleState } from "../../store/store.ts";

/** Collaborators of {@link Schedules}. */
export interface SchedulesOptions {
  /** State of earlier processes, if the store is persistent. */
  readonly left: { readonly schedules: readonly ScheduleRecord[] };
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: RunLog;
  /** Returns whether a run that this subscription triggered is queued or active. */
  readonly isBusy: (subscription: Subscription) => boolean;
  /**
   * Triggers an agent with a tick, in the commit of this event-loop tick. Resolves after the commit to a promise of the
   * run's end; rejects when the commit failed.
   */
  readonly wake: (
    agent: AgentDefinition,
    subscription: Subscription,
    tick: Draft,
  ) => Promise<{ readonly done: Promise<unknown> }>;
}

/** A running schedule of one agent. */
interface Ticker {
  readonly agent: AgentDefinition;
  readonly subscription: Subscription;
  readonly schedule: Schedule;
  state: ScheduleState;
  /** Number of active runs that this process triggered. */
  running: number;
  cancel: () => void;
}

/** Longest timer (ms). Timers stop while a machine sleeps but its clock continues, so times are rechecked. */
const LONGEST_WAIT_MS = MISSED_AFTER_MS / 2;

/** Delay before a retry after a failed write, in ms, because a full disk does not recover immediately. */
const RETRY_MS = 1_000;

/** Waits for the times of all schedules and triggers their agents. */
export class Schedules {
  readonly #options: SchedulesOptions;
  readonly #tickers = new Map<Subscription, Ticker>();
  #stopped = false;

  constructor(options: SchedulesOptions) {
    this.#options = options;
  }

  /** Starts or resumes the schedules of an agent, after pending writes are committed. */
  async resumeAgent(agent: AgentDefinition): Promise<void> {
    if (agent.schedules.size === 0) return;
    const { journal, clock, log, left: before } = this.#options;
    // By then, runs of earlier processes are queued, which decides whether a time overlaps with one.
    await journal.settled().catch(() => {});
    if (this.#stopped) return;
    for (const [subscription, schedule] of agent.schedules) {
      const left = [agent.name, ...agent.formerNames]
        .map((name) => before.schedules.find((one) => one.agentId === name && one.schedule === schedule.spec))
        .find((one) => one !== undefined);
      const state: ScheduleState = left
        ? { origin: left.origin, seen: left.seen, count: left.count, missed: left.missed }
        : schedule.begin(clock.now());
      const ticker: Ticker = { agent, subscription, schedule, state, running: 0, cancel: () => {} };
      this.#tickers.set(subscription, ticker);
      if (left?.agentId !== agent.name) this.#write(ticker, state);
      this.#wait(ticker);
    }
    journal.committed().catch((err) => {
      log.warn({ err, agent: agent.name }, "failed to persist start of schedule; next tick will");
    });
  }

  /** Returns a schedule's state in its wire form; empty for a subscription without a schedule. */
  told(agent: AgentDefinition, subscription: Subscription): Pick<SubscriptionInfo, "schedule"> {
    const schedule = agent.schedules.get(subscription);
    if (!schedule) return {};
    const ticker = this.#tickers.get(subscription);
    const next = ticker && this.#stopped === false ? nextOf(ticker) : undefined;
    return {
      schedule: {
        ...schedule.wireFields,
        ticks: ticker?.state.count ?? 0,
        ...(next === undefined ? {} : { next_at: isoTime(next) }),
      },
    };
  }

  /** Cancels all timers. */
  stop(): void {
    this.#stopped = true;
    for (const { cancel } of this.#tickers.values()) cancel();
  }

  #wait(ticker: Ticker, pause = 0): void {
    if (this.#stopped) return;
    const next = nextOf(ticker);
    if (next === undefined) return;
    const { clock } = this.#options;
    const wait = Math.min(Math.max(0, next - clock.now()), LONGEST_WAIT_MS);
    // Keeps the process alive, like any timer with pending work.
    ticker.cancel = clock.after(Math.max(wait, pause), () => outside(() => this.#look(ticker)), true);
  }

  #look(ticker: Ticker): void {
    const { clock, journal, log, wake, isBusy } = this.#options;
    const { agent, subscription, schedule, state } = ticker;
    const due = schedule.due(state, clock.now());
    if (!due) return this.#wait(ticker);
    const { at, times } = due;
    const isMissed = clock.now() - at > MISSED_AFTER_MS && schedule.missed === "skip";
    const isBlocked = schedule.overlap === "skip" && (ticker.running > 0 || isBusy(subscription));
    const passes = isMissed || isBlocked;
    const after: ScheduleState = passes
      ? { ...state, seen: at, missed: state.missed + times }
      : { ...state, seen: at, missed: 0, count: state.count + 1 };
    let written: Promise<void>;
    if (passes) {
      this.#write(ticker, after);
      written = journal.committed();
    } else {
      const missed = state.missed + times - 1;
      const tick = ScheduleTick({ agent: agent.name, scheduled_for: isoTime(at), count: after.count, missed });
      written = wake(agent, subscription, tick).then(({ done }) => {
        ticker.running += 1;
        void done.finally(() => {
          ticker.running -= 1;
        });
      });
      // Written in one commit with the tick, so that a crash loses both or neither.
      this.#write(ticker, after);
    }
    written.then(
      () => {
        ticker.state = after;
        this.#wait(ticker);
      },
      (err) => {
        if (!this.#stopped) log.error({ err, agent: agent.name }, "failed to persist schedule tick; retry scheduled");
        this.#wait(ticker, RETRY_MS);
      },
    );
  }

  #write({ agent, schedule }: Ticker, state: ScheduleState): void {
    this.#options.journal.write({ kind: "scheduled", agentId: agent.name, schedule: schedule.spec, ...state });
  }
}

function nextOf({ schedule, state }: Ticker): number | undefined {
  return state.count >= schedule.maxTicks ? undefined : schedule.next(state);
}

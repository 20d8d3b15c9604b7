import type { SubscriptionInfo } from "@flock-ts/protocol";
import type { AgentDefinition } from "../../agents/definition.ts";
import { MISSED_AFTER_MS, type Schedule, ScheduleTick } from "../../agents/schedule.ts";
import type { Subscription } from "../../agents/subscription.ts";
import type { Draft } from "../../blackboard/artifact-type.ts";
import type { Clock } from "../../core/clock.ts";
import type { RunLog } from "../../core/logger.ts";
import { isoTime } from "../../core/time.ts";
import type { Journal } from "../../store/journal.ts";
import type { ScheduleRecord, ScheduleState } from "../../store/store.ts";

/** What schedules work with. */
export interface SchedulesOptions {
  /** What earlier processes have left. */
  readonly left: { readonly schedules: readonly ScheduleRecord[] };
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: RunLog;
  /** Whether a run that a subscription has woken is queued or goes on. */
  readonly isBusy: (subscription: Subscription) => boolean;
  /**
   * Wakes one agent with a tick, in the commit of this tick of the event loop. Resolves when that is permanent, with
   * what resolves when the run has ended; rejects when nothing of it is so.
   */
  readonly wake: (
    agent: AgentDefinition,
    subscription: Subscription,
    tick: Draft,
  ) => Promise<{ readonly done: Promise<unknown> }>;
}

/** One schedule of one agent, at work. */
interface Ticker {
  readonly agent: AgentDefinition;
  readonly subscription: Subscription;
  readonly schedule: Schedule;
  state: ScheduleState;
  /** Runs that this process has woken and that have not ended. */
  running: number;
  cancel: () => void;
}

/** No timer waits longer than this (ms): while a machine sleeps its timers stand still, and its clock goes on. */
const LONGEST_WAIT_MS = MISSED_AFTER_MS / 2;

/** When a tick could not be written, it is tried again after so many milliseconds: a full disk stays full for a while. */
const RETRY_MS = 1_000;

/** Waits for the times of all schedules, and wakes their agents. */
export class Schedules {
  readonly #options: SchedulesOptions;
  readonly #tickers = new Map<Subscription, Ticker>();
  #stopped = false;

  constructor(options: SchedulesOptions) {
    this.#options = options;
  }

  /** Begins, or goes on with, the schedules of an agent, once what is written already is permanent. */
  async resumeAgent(agent: AgentDefinition): Promise<void> {
    if (agent.schedules.size === 0) return;
    const { journal, clock, log, left: before } = this.#options;
    // Runs of an earlier process are queued by then: a time that comes while they go on is told from one that does not.
    await journal.settled().catch(() => {});
    if (this.#stopped) return;
    for (const [subscription, schedule] of agent.schedules) {
      const left = before.schedules.find((one) => one.agentId === agent.name && one.schedule === schedule.spec);
      const state = left ?? schedule.begin(clock.now());
      const ticker: Ticker = { agent, subscription, schedule, state, running: 0, cancel: () => {} };
      this.#tickers.set(subscription, ticker);
      if (!left) this.#write(ticker, state);
      this.#wait(ticker);
    }
    journal.committed().catch((err) => {
      log.warn({ err, agent: agent.name }, "the beginning of a schedule could not be written: its next tick is");
    });
  }

  /** How a schedule stands, as the wire tells it; nothing for a subscription without one. */
  told(agent: AgentDefinition, subscription: Subscription): Pick<SubscriptionInfo, "schedule"> {
    const schedule = agent.schedules.get(subscription);
    if (!schedule) return {};
    const ticker = this.#tickers.get(subscription);
    const next = ticker && this.#stopped === false ? nextOf(ticker) : undefined;
    return {
      schedule: {
        ...schedule.told,
        ticks: ticker?.state.count ?? 0,
        ...(next === undefined ? {} : { next_at: isoTime(next) }),
      },
    };
  }

  /** Nothing ticks any more. */
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
    // What is to be done at a time keeps the process alive, as any timer does.
    ticker.cancel = clock.after(Math.max(wait, pause), () => this.#look(ticker), true);
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
      // In one commit with the tick: a process that dies has done both or neither.
      this.#write(ticker, after);
    }
    written.then(
      () => {
        ticker.state = after;
        this.#wait(ticker);
      },
      (err) => {
        if (!this.#stopped) log.error({ err, agent: agent.name }, "a tick could not be written; it is tried again");
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

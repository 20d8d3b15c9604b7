/** A shorter absence, in ms, is not worth a summary. */
export const AWAY_MS = 10_000;

/** The interval of the checks, in ms. A longer time between two checks means that the machine or the page was asleep. */
const CHECK_MS = 1_000;

/**
 * How long after the return, in ms, new events still count as missed. A hidden tab receives them at once; a machine that
 * wakes has to reconnect first.
 */
const GRACE_MS = { hidden: 10_000, asleep: 30_000 } as const;

/** What the detector observes. */
export interface Presence {
  /** Returns the time as `Date.now()` does. */
  now(): number;
  isHidden(): boolean;
  /** Calls `listener` whenever the tab becomes hidden or visible. */
  onVisibility(listener: () => void): void;
  /** Calls `listener` at an interval, in ms. */
  every(ms: number, listener: () => void): void;
}

/** Detects that the tab could not be seen because it was hidden or the machine was asleep. */
export class AbsenceDetector {
  readonly #presence: Presence;
  #since: number | null = null;
  /** Until when new events count as missed; infinite while the absence lasts. */
  #until = 0;
  #checkedAt = 0;

  constructor(presence: Presence) {
    this.#presence = presence;
  }

  /** Starts to observe. */
  start(): void {
    this.#checkedAt = this.#presence.now();
    this.#presence.every(CHECK_MS, () => this.#check());
    this.#presence.onVisibility(() => {
      this.#check();
      const now = this.#presence.now();
      if (!this.#presence.isHidden()) {
        this.#until = Math.max(Number.isFinite(this.#until) ? this.#until : 0, now + GRACE_MS.hidden);
      } else {
        this.#since ??= now;
        this.#until = Number.POSITIVE_INFINITY;
      }
    });
  }

  /** Returns when the absence began, as `Date.now()` counts; null when there is none, or it was acknowledged. */
  since(): number | null {
    this.#check();
    if (this.#presence.now() > this.#until) this.#since = null;
    return this.#since;
  }

  /** Ends an absence whose events have been summarized. */
  acknowledge(): void {
    if (!this.#presence.isHidden()) this.#since = null;
  }

  #check(): void {
    const now = this.#presence.now();
    if (now - this.#checkedAt > AWAY_MS && this.#checkedAt > 0 && !this.#presence.isHidden()) {
      this.#since ??= this.#checkedAt;
      this.#until = Math.max(this.#until, now + GRACE_MS.asleep);
    }
    this.#checkedAt = now;
  }
}

/** The presence of the viewer of this tab. */
export const browserPresence: Presence = {
  now: () => Date.now(),
  isHidden: () => document.hidden,
  onVisibility: (listener) => document.addEventListener("visibilitychange", listener),
  every: (ms, listener) => void setInterval(listener, ms),
};

import { OWNER } from "@flock-ts/protocol";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Clock } from "../../core/clock.ts";
import type { RunLog } from "../../core/logger.ts";
import type { BlackboardReader, Hidden } from "../../store/store.ts";

/** What a scheduledPublishes works with. */
export interface ScheduledPublishesOptions {
  readonly blackboard: BlackboardReader;
  /** What earlier processes have left. */
  readonly left: { readonly hidden: readonly Hidden[] };
  readonly clock: Clock;
  readonly log: RunLog;
  /** Gives an artifact the visibility that it has from its time on. Rejects when that could not be written. */
  readonly reveal: (artifact: StoredArtifact) => Promise<void>;
}

/** When it could not be written, it is tried again after so many milliseconds: a full disk stays full for a while. */
const RETRY_MS = 1_000;

/** Waits for the times from which artifacts may be seen by others than the owner. */
export class ScheduledPublishes {
  readonly #options: ScheduledPublishesOptions;
  readonly #timers = new Map<string, () => void>();
  #stopped = false;

  constructor(options: ScheduledPublishesOptions) {
    this.#options = options;
  }

  /** Waits for an artifact that is on the blackboard, if it is to be waited for. */
  watch({ id, visibility }: StoredArtifact): void {
    if (visibility.kind === "after") this.#wait({ id, at: Date.parse(visibility.at) });
  }

  /** Waits for what earlier processes have left; what has come due meanwhile is revealed at once. */
  restore(): void {
    for (const hidden of this.#options.left.hidden) this.#wait(hidden);
  }

  /** Nothing ticks any more. */
  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #wait(hidden: Hidden, pause = 0): void {
    if (this.#stopped || this.#timers.has(hidden.id)) return;
    const { clock } = this.#options;
    const cancel = clock.after(Math.max(hidden.at - clock.now(), pause), () => {
      this.#timers.delete(hidden.id);
      // Timers keep another time than the clock: one may come a moment before its time.
      if (hidden.at > clock.now()) this.#wait(hidden);
      else void this.#reveal(hidden);
    });
    this.#timers.set(hidden.id, cancel);
  }

  async #reveal(hidden: Hidden): Promise<void> {
    const { blackboard, log, reveal } = this.#options;
    try {
      const artifact = await blackboard.get(hidden.id, OWNER);
      if (artifact && !this.#stopped) await reveal(artifact);
    } catch (err) {
      log.error({ err, artifact: hidden.id }, "an artifact whose time has come could not be shown; it is tried again");
      this.#wait(hidden, RETRY_MS);
    }
  }
}

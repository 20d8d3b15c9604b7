import { OWNER } from "@flock-ts/protocol";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import type { Clock } from "../../core/clock.ts";
import type { RunLog } from "../../core/logger.ts";
import { outside } from "../../core/outside.ts";
import type { BlackboardReader, Hidden } from "../../store/store.ts";
import type { Publisher } from "../publishing/publisher.ts";

/** Collaborators of {@link ScheduledPublishes}. */
export interface ScheduledPublishesOptions {
  readonly blackboard: BlackboardReader;
  /** State of earlier processes, if the store is persistent. */
  readonly left: { readonly hidden: readonly Hidden[] };
  readonly clock: Clock;
  readonly log: RunLog;
  readonly publisher: Pick<Publisher, "listen" | "reveal">;
}

/** Delay before a retry after a failed write, in ms, because a full disk does not recover immediately. */
const RETRY_MS = 1_000;

/** Reveals artifacts at the time of their scheduled publish. */
export class ScheduledPublishes {
  readonly #options: ScheduledPublishesOptions;
  readonly #timers = new Map<string, () => void>();
  #stopped = false;

  constructor(options: ScheduledPublishesOptions) {
    this.#options = options;
    options.publisher.listen({ hidden: (artifact) => this.watch(artifact) });
  }

  /** Schedules the publish of an artifact on the blackboard, if it is still hidden. */
  watch({ id, visibility }: StoredArtifact): void {
    if (visibility.kind === "after") this.#wait({ id, at: Date.parse(visibility.at) });
  }

  /** Schedules the pending publishes of earlier processes; overdue ones happen immediately. */
  restore(): void {
    for (const hidden of this.#options.left.hidden) this.#wait(hidden);
  }

  /** Cancels the timer. */
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
      // Timers and the clock can differ slightly, so a timer may fire just before its time.
      if (hidden.at > clock.now()) this.#wait(hidden);
      else void outside(() => this.#reveal(hidden));
    });
    this.#timers.set(hidden.id, cancel);
  }

  async #reveal(hidden: Hidden): Promise<void> {
    const { blackboard, log, publisher } = this.#options;
    try {
      const artifact = await blackboard.get(hidden.id, OWNER);
      if (artifact && !this.#stopped) await publisher.reveal(artifact);
    } catch (err) {
      log.error({ err, artifact: hidden.id }, "failed to publish scheduled artifact; retry scheduled");
      this.#wait(hidden, RETRY_MS);
    }
  }
}

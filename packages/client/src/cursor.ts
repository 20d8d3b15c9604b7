import type { ControlMessage, FlockEvent } from "@flock-ts/protocol";

/** A position in a log, as the server expects it. */
export interface Position {
  /** The last `seq` received, 0 for the beginning, or -N for the newest N events. */
  readonly since: number;
  /** The log that `since` refers to. Absent if the application requested a position without naming a log. */
  readonly epoch?: string | undefined;
}

/** Tells an event of the log from a control message. Only events, `reply` and `caught_up` have a `seq`. */
export function isEvent(message: ControlMessage | FlockEvent): message is FlockEvent {
  return "seq" in message && message.type !== "reply" && message.type !== "caught_up";
}

/**
 * The position up to which the application has received the log. It outlives connections, so that each one resumes where
 * the last one ended, and it rejects events that the application has already received.
 */
export class Cursor {
  #position: Position | undefined;
  /** False while `#position` is only the requested start. */
  #reached = false;
  /** The log of the current connection. `#position` adopts it with the first message that moves the cursor. */
  #epoch = "";

  /** @param start where the first connection begins. Default: with events published from now on. */
  constructor(start?: Position) {
    this.#position = start;
  }

  /** Where the next connection begins. Undefined: with events published from now on. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** The last `seq` received. Undefined before the server has confirmed a position. */
  get seq(): number | undefined {
    return this.#reached ? this.#position?.since : undefined;
  }

  /** Moves the cursor past a message. Returns false for an event that was received before, or whose `seq` is no integer. */
  advance(message: ControlMessage | FlockEvent): boolean {
    const seq = this.seq ?? 0;
    if (isEvent(message)) {
      // Any other number would become a position that no server accepts.
      if (!Number.isSafeInteger(message.seq) || message.seq <= seq) return false;
      this.#moveTo(message.seq);
    } else if (message.type === "hello") {
      this.#epoch = message.epoch;
      if (!this.#position) this.#moveTo(message.head);
    } else if (message.type === "gap") {
      // In another log, the numbers of this cursor mean nothing. In the same log, a gap can lie before the cursor.
      const known = message.reason === "epoch" ? 0 : (this.#position?.since ?? 0);
      this.#moveTo(Math.max(message.to_seq, known));
    } else if (message.type === "caught_up") {
      this.#moveTo(Math.max(message.seq, seq));
    }
    return true;
  }

  #moveTo(since: number): void {
    this.#position = { since, epoch: this.#epoch };
    this.#reached = true;
  }
}

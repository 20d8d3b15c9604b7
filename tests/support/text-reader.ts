import { once } from "node:events";
import type { ControlMessage, FlockEvent } from "@flock-ts/protocol";
import { WebSocket } from "ws";

/**
 * A client on a plain WebSocket that comes and goes, for logs of any length: it keeps the text of each run, put together
 * as docs/delivery-guarantees.md has it, and every other event. It fails as soon as something is missing, doubled or torn.
 */
export class TextReader {
  /** What each run has streamed. */
  readonly texts = new Map<string, string>();
  /** Runs whose stream has been said to be complete. */
  readonly complete = new Set<string>();
  /** Every event that is not a piece of a stream. */
  readonly others: FlockEvent[] = [];
  /** The newest seq. */
  seq = 0;
  /** How many pieces of streams there were. */
  pieces = 0;
  readonly #url: string;
  #failure: unknown;
  #wake = () => {};
  #socket: WebSocket | undefined;

  constructor(url: string) {
    this.#url = url;
  }

  /** Connects, or resumes at the last position. */
  async connect(): Promise<WebSocket> {
    const socket = new WebSocket(`${this.#url}?since=${this.seq}`);
    this.#socket = socket;
    socket.on("message", (data) => {
      if (socket !== this.#socket) return;
      try {
        this.#take(JSON.parse(data.toString()));
      } catch (error) {
        this.#failure ??= error;
      }
      this.#wake();
    });
    await once(socket, "open");
    return socket;
  }

  /** Breaks the connection: what is under way is lost. */
  leave(): void {
    this.#socket?.terminate();
    this.#socket = undefined;
  }

  /** Looks after each message whether it is so. Throws what the reader has failed with. */
  async until(isSo: () => boolean): Promise<void> {
    for (;;) {
      if (this.#failure) throw this.#failure;
      if (isSo()) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(event: FlockEvent | ControlMessage): void {
    if (event.type === "gap") throw new Error(`there was a gap after ${this.seq}: ${JSON.stringify(event)}`);
    // Messages outside the log have no seq, or no time.
    if (!("timestamp" in event && "seq" in event)) return;
    if (event.seq <= this.seq) throw new Error(`${event.seq} came after ${this.seq}`);
    this.seq = event.seq;
    if (event.type !== "streaming_output") {
      this.others.push(event);
      return;
    }
    const { run_id, content, offset, is_complete } = event;
    const text = this.texts.get(run_id) ?? "";
    if (offset > text.length) throw new Error(`${offset - text.length} characters are missing before ${event.seq}`);
    if (!content.isWellFormed()) throw new Error(`${event.seq} has half a character`);
    this.texts.set(run_id, text + content.slice(text.length - offset));
    this.pieces += 1;
    if (is_complete) this.complete.add(run_id);
  }
}

import { type ConnectionState, FlockClientError } from "@flock-ts/client";
import type { NameInterner } from "../timeline/name-interner.ts";
import { DirectFeed } from "./direct-feed.ts";
import type { CommandAnswer, CommandName, CommandRequest, Feed, ToTab, ToWorker } from "./feed.ts";
import type { Chunk } from "./replay-buffer.ts";

/** How long the worker may take to answer, in ms. Some browsers refuse a worker without an error. */
const WORKER_TIMEOUT_MS = 3_000;
/** How long a command may take, in ms: longer than the client's own limit, which the worker reports. */
const CALL_TIMEOUT_MS = 15_000;

/**
 * Opens the feed that all tabs share, or one with its own connection where there are no shared workers.
 *
 * @param names makes the names in arriving events share their strings.
 */
export async function openFeed(url: string, names: NameInterner): Promise<Feed> {
  if (typeof SharedWorker === "undefined") return new DirectFeed(url, names);
  try {
    return await SharedFeed.join(url, names);
  } catch {
    return new DirectFeed(url, names);
  }
}

/** A command that the worker has not answered. */
interface Call {
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

class SharedFeed implements Feed {
  readonly #port: MessagePort;
  readonly #names: NameInterner;
  readonly #calls = new Map<number, Call>();
  #lastId = 0;
  #state: ConnectionState | undefined;
  #watchers: ((state: ConnectionState) => void)[] = [];
  #give: ((chunk: Chunk) => void) | undefined;

  /** @throws Error when the worker does not start. */
  static join(url: string, names: NameInterner): Promise<SharedFeed> {
    return new Promise((resolve, reject) => {
      const worker = new SharedWorker(new URL("./shared-feed.worker.ts", import.meta.url), {
        type: "module",
        name: `flock ${url}`,
      });
      worker.onerror = () => reject(new Error("the shared worker did not start"));
      const timer = setTimeout(
        () => reject(new Error(`the shared worker did not answer within ${WORKER_TIMEOUT_MS} ms`)),
        WORKER_TIMEOUT_MS,
      );
      const feed = new SharedFeed(worker.port, names);
      feed.watch(() => {
        clearTimeout(timer);
        resolve(feed);
      });
      feed.#post({ type: "join", url });
      addEventListener("pagehide", ({ persisted }) => persisted || feed.#post({ type: "leave" }));
      // A worker does not see that a page is back: it would wait out a long delay.
      const wake = () => document.hidden || feed.retryNow();
      addEventListener("pageshow", wake);
      addEventListener("online", wake);
      document.addEventListener("visibilitychange", wake);
    });
  }

  private constructor(port: MessagePort, names: NameInterner) {
    this.#port = port;
    this.#names = names;
    port.onmessage = ({ data }: MessageEvent<ToTab>) => this.#receive(data);
  }

  next(from: number, isCurrent: boolean): Promise<Chunk> {
    return new Promise((give) => {
      this.#give = give;
      this.#post({ type: "next", from, isCurrent });
    });
  }

  watch(listener: (state: ConnectionState) => void): void {
    this.#watchers.push(listener);
    if (this.#state) listener(this.#state);
  }

  call<N extends CommandName>(name: N, request: CommandRequest<N>): Promise<CommandAnswer<N>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#post({ type: "call", id, name, request });
      // The browser can end a worker without a sign.
      const timer = setTimeout(() => {
        const message = `Command \`${name}\` failed: no answer within ${CALL_TIMEOUT_MS} ms. Reload the page.`;
        this.#take(id)?.reject(new FlockClientError({ code: "timeout", message }));
      }, CALL_TIMEOUT_MS);
      this.#calls.set(id, { resolve: resolve as (result: never) => void, reject, timer });
    });
  }

  retryNow(): void {
    this.#post({ type: "retry" });
  }

  #receive(message: ToTab): void {
    if (message.type === "connection") {
      this.#state = message.state;
      for (const watcher of this.#watchers) watcher(message.state);
      return;
    }
    if (message.type === "chunk") {
      for (const entry of message.chunk.entries) if (entry.type !== "gap") this.#names.intern(entry);
      this.#give?.(message.chunk);
      return;
    }
    const call = this.#take(message.id);
    if (message.type === "answer") call?.resolve(message.result as never);
    else call?.reject(new FlockClientError(message.error as ConstructorParameters<typeof FlockClientError>[0]));
  }

  #take(id: number): Call | undefined {
    const call = this.#calls.get(id);
    clearTimeout(call?.timer);
    this.#calls.delete(id);
    return call;
  }

  #post(message: ToWorker): void {
    this.#port.postMessage(message);
  }
}

import { type ConnectionState, FlockClientError } from "@flock-ts/client";
import { DirectFeed } from "./direct-feed.ts";
import type { CommandAnswer, CommandName, CommandRequest, Feed, ToTab, ToWorker } from "./feed.ts";
import type { Chunk } from "./replay-buffer.ts";

/** A worker that has not answered by then, in ms, will not: some browsers refuse it without a word. */
const PATIENCE = 3_000;

/** The feed that all tabs share; where there are no shared workers, one of this tab's own. */
export async function openFeed(url: string): Promise<Feed> {
  if (typeof SharedWorker === "undefined") return new DirectFeed(url);
  try {
    return await SharedFeed.join(url);
  } catch {
    return new DirectFeed(url);
  }
}

class SharedFeed implements Feed {
  readonly isShared = true;
  readonly #port: MessagePort;
  readonly #calls = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  #lastId = 0;
  #state: ConnectionState | undefined;
  #watchers: ((state: ConnectionState) => void)[] = [];
  #give: ((stretch: Chunk) => void) | undefined;

  /** @throws Error when the browser does not give us the worker. */
  static join(url: string): Promise<SharedFeed> {
    return new Promise((resolve, reject) => {
      const worker = new SharedWorker(new URL("./shared-feed.worker.ts", import.meta.url), {
        type: "module",
        name: `flock ${url}`,
      });
      worker.onerror = () => reject(new Error("the shared worker did not start"));
      const timer = setTimeout(() => reject(new Error("the shared worker says nothing")), PATIENCE);
      const feed = new SharedFeed(worker.port);
      feed.watch(() => {
        clearTimeout(timer);
        resolve(feed);
      });
      feed.#tell({ type: "join", url });
      addEventListener("pagehide", ({ persisted }) => persisted || feed.#tell({ type: "leave" }));
    });
  }

  private constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }: MessageEvent<ToTab>) => this.#hear(data);
  }

  next(from: number, isCurrent: boolean): Promise<Chunk> {
    return new Promise((give) => {
      this.#give = give;
      this.#tell({ type: "next", from, isCurrent });
    });
  }

  watch(listener: (state: ConnectionState) => void): void {
    this.#watchers.push(listener);
    if (this.#state) listener(this.#state);
  }

  call<N extends CommandName>(name: N, request: CommandRequest<N>): Promise<CommandAnswer<N>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#calls.set(id, { resolve: resolve as (result: never) => void, reject });
      this.#tell({ type: "call", id, name, request });
    });
  }

  retryNow(): void {
    this.#tell({ type: "retry" });
  }

  #hear(message: ToTab): void {
    if (message.type === "connection") {
      this.#state = message.state;
      for (const watcher of this.#watchers) watcher(message.state);
      return;
    }
    if (message.type === "stretch") {
      this.#give?.(message.stretch);
      return;
    }
    const call = this.#calls.get(message.id);
    this.#calls.delete(message.id);
    if (message.type === "answer") call?.resolve(message.result as never);
    else call?.reject(new FlockClientError(message.error as ConstructorParameters<typeof FlockClientError>[0]));
  }

  #tell(message: ToWorker): void {
    this.#port.postMessage(message);
  }
}

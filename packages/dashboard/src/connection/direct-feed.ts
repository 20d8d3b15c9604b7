import { type ConnectionState, connect, type FlockClient } from "@flock-ts/client";
import type { NameInterner } from "../timeline/name-interner.ts";
import { KEPT_EVENTS, KEPT_TEXT } from "../timeline/timeline.ts";
import type { CommandAnswer, CommandName, CommandRequest, Feed } from "./feed.ts";
import { type Chunk, ReplayBuffer } from "./replay-buffer.ts";

/** Events requested at first: few enough to arrive at once. Older events are loaded afterwards. */
export const FIRST_EVENTS = 10_000;

/** A feed with its own connection. The shared worker holds one as well. */
export class DirectFeed implements Feed {
  readonly #client: FlockClient;
  readonly #buffer = new ReplayBuffer(KEPT_EVENTS, KEPT_TEXT);

  /** @param names makes the names in arriving events share their strings. */
  constructor(url: string, names: NameInterner) {
    this.#client = connect(url, { since: -FIRST_EVENTS });
    this.#client.on("event", (event) => {
      names.intern(event);
      this.#buffer.add(event);
    });
    this.#client.on("gap", (gap) => this.#buffer.add(gap));
    this.#client.subscribe(() => {
      this.#buffer.isCaughtUp = this.#client.state.status === "live";
    });
  }

  /** Whether the client has closed permanently. */
  get isClosed(): boolean {
    return this.#client.state.status === "closed";
  }

  next(from: number, isCurrent: boolean): Promise<Chunk> {
    return this.#buffer.next(from, isCurrent);
  }

  watch(listener: (state: ConnectionState) => void): () => void {
    listener(this.#client.state);
    return this.#client.subscribe(() => listener(this.#client.state));
  }

  call<N extends CommandName>(name: N, request: CommandRequest<N>): Promise<CommandAnswer<N>> {
    return (this.#client[name] as (request: CommandRequest<N>) => Promise<CommandAnswer<N>>)(request);
  }

  retryNow(): void {
    this.#client.retryNow();
  }
}

import { type ConnectionState, connect, type FlockClient } from "@flock-ts/client";
import { KEPT_EVENTS, KEPT_TEXT } from "../timeline/timeline.ts";
import type { CommandAnswer, CommandName, CommandRequest, Feed } from "./feed.ts";
import { type Chunk, ReplayBuffer } from "./replay-buffer.ts";

/** Events that are asked for at the beginning: few enough to be there at once. Older ones are loaded after them. */
export const FIRST_EVENTS = 10_000;

/** A feed with a connection of its own. It is also what the shared worker holds. */
export class DirectFeed implements Feed {
  readonly isShared = false;
  readonly #client: FlockClient;
  readonly #retained = new ReplayBuffer(KEPT_EVENTS, KEPT_TEXT);

  constructor(url: string) {
    this.#client = connect(url, { since: -FIRST_EVENTS });
    this.#client.on("event", (event) => this.#retained.add(event));
    this.#client.on("gap", (gap) => this.#retained.add(gap));
    this.#client.subscribe(() => {
      this.#retained.isCaughtUp = this.#client.state.status === "live";
    });
  }

  next(from: number, isCurrent: boolean): Promise<Chunk> {
    return this.#retained.next(from, isCurrent);
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

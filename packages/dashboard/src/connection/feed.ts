import type { ConnectionState, FlockClient } from "@flock-ts/client";
import type { Chunk } from "./replay-buffer.ts";

/** Commands that go to the server: the client's own methods. */
export type CommandName = "publish" | "graph" | "ping";
export type CommandRequest<N extends CommandName> = Parameters<FlockClient[N]>[0];
export type CommandAnswer<N extends CommandName> = Awaited<ReturnType<FlockClient[N]>>;

/** Delivers a tab's events and sends its commands, over the tab's own connection or over one that tabs share. */
export interface Feed {
  /** Resolves with the entries from a position on; see `ReplayBuffer.next`. */
  next(from: number, isCurrent: boolean): Promise<Chunk>;
  /** Calls `listener` with the state of the connection, now and whenever it changes. */
  watch(listener: (state: ConnectionState) => void): void;
  /** @throws FlockClientError as the client does. */
  call<N extends CommandName>(name: N, request: CommandRequest<N>): Promise<CommandAnswer<N>>;
  /** Attempts to connect now, instead of when the next attempt is due. */
  retryNow(): void;
}

/** Messages of a tab to the worker that holds the connection. */
export type ToWorker =
  | { readonly type: "join"; readonly url: string }
  | { readonly type: "next"; readonly from: number; readonly isCurrent: boolean }
  | { readonly type: "call"; readonly id: number; readonly name: CommandName; readonly request: unknown }
  | { readonly type: "retry" }
  | { readonly type: "leave" };

/** Messages of the worker to a tab. */
export type ToTab =
  | { readonly type: "connection"; readonly state: ConnectionState }
  | { readonly type: "chunk"; readonly chunk: Chunk }
  | { readonly type: "answer"; readonly id: number; readonly result: unknown }
  | { readonly type: "refusal"; readonly id: number; readonly error: RefusedBecause };

/** An error on its way between threads, which loses its class. */
export interface RefusedBecause {
  readonly code: string;
  readonly message: string;
  readonly issues: readonly { readonly path: readonly (string | number)[]; readonly message: string }[];
}

import type { ConnectionState, FlockClient } from "@flock-ts/client";
import type { Chunk } from "./replay-buffer.ts";

/** Commands that go to the server: the client's own methods. */
export type CommandName = "publish" | "graph" | "ping";
export type CommandRequest<N extends CommandName> = Parameters<FlockClient[N]>[0];
export type CommandAnswer<N extends CommandName> = Awaited<ReturnType<FlockClient[N]>>;

/** Where a tab's events come from, and where its commands go: the tab's own connection, or one that tabs share. */
export interface Feed {
  /** Whether other tabs use the same connection. */
  readonly isShared: boolean;
  /** What comes from a place on; see `Retained.next`. */
  next(from: number, isCurrent: boolean): Promise<Chunk>;
  /** Calls `listener` with how the connection stands, now and whenever that changes. */
  watch(listener: (state: ConnectionState) => void): void;
  /** @throws FlockClientError as the client does. */
  call<N extends CommandName>(name: N, request: CommandRequest<N>): Promise<CommandAnswer<N>>;
  /** Does not wait for the next attempt to connect. */
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
  | { readonly type: "stretch"; readonly stretch: Chunk }
  | { readonly type: "answer"; readonly id: number; readonly result: unknown }
  | { readonly type: "refusal"; readonly id: number; readonly error: RefusedBecause };

/** An error on its way between threads, which loses its class. */
export interface RefusedBecause {
  readonly code: string;
  readonly message: string;
  readonly issues: readonly { readonly path: readonly (string | number)[]; readonly message: string }[];
}

// Calls between the processes of a measurement: the suite calls, servers and load generators answer.

export const PEERS = ["flock", "ws", "socket.io"] as const;
export type Peer = (typeof PEERS)[number];

/** Options of a server. Each peer applies those that it supports. */
export interface ServerOptions {
  /** Number of workflows that the events alternate between. Default: 1. */
  readonly workflows: number;
  /** Heartbeat interval in ms. Default: no heartbeat. */
  readonly heartbeatMs: number;
  /** Retains what clients need to resume. Flock always does; `ws` has no such feature. */
  readonly recovery: boolean;
  /** Labels consecutive events differently, so that Flock does not compact them: as many are replayed as were sent. */
  readonly separate: boolean;
  /** Size of Flock's log buffer; older events are read from the file. */
  readonly logBufferBytes: number;
  /** Compresses messages for clients that offer it (permessage-deflate). Default: off. */
  readonly compression: boolean;
}

export interface ServerCalls {
  /** Returns the port. */
  port(): number;
  /** Returns the resource usage of the process after garbage collection. */
  measure(collect: Collection): Used;
  /** Publishes the next events. Resolves when all are published or `stop` was called. */
  publish(task: Publishing): Promise<Published>;
  /** Stops all publishing. */
  stop(): void;
}

/** Garbage collection before a measurement: `once` is the usual cost, `to the last` shows the minimum memory. */
export type Collection = "never" | "once" | "to the last";

export interface Used {
  /** CPU time since the process started, in ms. */
  readonly cpuMs: number;
  readonly rssMB: number;
  /** Active timers. */
  readonly timers: number;
}

export interface Publishing {
  readonly events: number;
  /** Events per second; null publishes as fast as possible. */
  readonly perSecond: number | null;
}

export interface Published {
  /** Total number of events that the server has published. They are numbered from 0. */
  readonly total: number;
  readonly events: number;
  readonly elapsedMs: number;
}

/** What a client subscribes to: everything, its own workflow, or a workflow without events. */
export type Following = "everything" | "its own" | "nothing";

export interface Joining {
  /** Name of the crowd; calls refer to clients by it. */
  readonly crowd: string;
  readonly peer: Peer;
  readonly port: number;
  readonly clients: number;
  readonly following?: Following;
  /** Number of the first expected event. Default: 0. */
  readonly first?: number;
  /** Whether the clients offer permessage-deflate. Default: false. */
  readonly compression?: boolean;
}

export interface LoadCalls {
  /** Connects a new crowd. Resolves when all its clients are connected. */
  join(joining: Joining): Promise<void>;
  /** Resets counts and latencies, but not which event each client expects. */
  begin(crowd: string): void;
  /** Resolves when the whole crowd has all its events numbered below `until`, or when the time limit passes. */
  receive(crowd: string, until: number, withinMs: number): Promise<Received>;
  /** Stops reading in the whole crowd. */
  stall(crowd: string): void;
  /** Resumes reading. */
  read(crowd: string): void;
  /** Drops the connections of the whole crowd. */
  drop(crowd: string): void;
  /** Reconnects the crowd; each client resumes at its cursor. Resolves when all are connected. */
  comeBack(crowd: string): Promise<void>;
  /** Starts one client that sends excessive requests. */
  beGreedy(port: number, greed: Greed): Promise<void>;
  /** Stops that client. */
  endGreed(): Greedy;
}

export interface Received {
  /** Whether all remaining clients have all events. */
  readonly complete: boolean;
  /** Clients that the server disconnected, and the reason of the last case. */
  readonly lost: number;
  readonly lostBecause: string;
  readonly deliveries: number;
  /** Bytes on the wire, of all clients. */
  readonly bytes: number;
  /** Time from the first delivery to the last expected one, in ms. */
  readonly elapsedMs: number;
  /** Time from publish to arrival for a sample of the deliveries, in ms; null without deliveries. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Events that arrived twice, late, or not at all before a later one. */
  readonly mistakes: number;
  /** Description of the first mistake. */
  readonly firstMistake: string;
}

/** Kind of excessive requests: continuous commands, or repeated replays of the whole log. */
export type Greed = "commands" | "replays";

export interface Greedy {
  /** Bytes that it sent and received. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly closed: boolean;
}

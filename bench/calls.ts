// What the processes of a measurement ask each other: the suite asks, servers and load answer.

export const PEERS = ["flock", "ws", "socket.io"] as const;
export type Peer = (typeof PEERS)[number];

/** How a server is set up. Each peer takes what it has a notion of. */
export interface ServerOptions {
  /** How many workflows the events belong to, in turn. Default 1. */
  readonly workflows: number;
  /** Asks its clients for a sign of life so often, in ms. Default: never. */
  readonly heartbeatMs: number;
  /** Keeps what clients need to come back. Flock does so anyway; `ws` has no notion of it. */
  readonly recovery: boolean;
  /** Neighbours are labelled differently, so that Flock does not merge them in its file: as many come back as went. */
  readonly separate: boolean;
  /** Flock's memory for the newest events; what is older is read from the file. */
  readonly logBufferBytes: number;
  /** Compresses what it sends to clients that offer it (permessage-deflate). Default: never. */
  readonly compression: boolean;
}

export interface ServerCalls {
  /** Where it listens. */
  port(): number;
  /** What the process has used, after garbage has been collected. */
  measure(collect: Collection): Used;
  /** Publishes the next events. Resolves when that is done or `stop` was called. */
  publish(task: Publishing): Promise<Published>;
  /** Ends all publishing. */
  stop(): void;
}

/** `once` costs what a server spends on its garbage anyway; `to the last` shows what memory is really needed. */
export type Collection = "never" | "once" | "to the last";

export interface Used {
  /** CPU time since the process began, in ms. */
  readonly cpuMs: number;
  readonly rssMB: number;
  /** Timers that run. */
  readonly timers: number;
}

export interface Publishing {
  readonly events: number;
  /** Null: as fast as the publisher can. */
  readonly perSecond: number | null;
}

export interface Published {
  /** How many events the server has published in all: they are numbered from 0. */
  readonly total: number;
  readonly events: number;
  readonly elapsedMs: number;
}

/** What a client follows: everything, one workflow of its own, or a workflow that does not occur. */
export type Following = "everything" | "its own" | "nothing";

export interface Joining {
  /** Clients are spoken of by the name of their crowd. */
  readonly crowd: string;
  readonly peer: Peer;
  readonly port: number;
  readonly clients: number;
  readonly following?: Following;
  /** The number of the first event that they will see. Default 0. */
  readonly first?: number;
  /** Whether the clients offer permessage-deflate. Default false. */
  readonly compression?: boolean;
}

export interface LoadCalls {
  /** Connects a new crowd. Resolves when all of them are in. */
  join(joining: Joining): Promise<void>;
  /** Forgets what was received and how long that took; not which event each client waits for. */
  begin(crowd: string): void;
  /** Resolves when everyone in the crowd has all its events numbered below `until`, or when the time is over. */
  receive(crowd: string, until: number, withinMs: number): Promise<Received>;
  /** The whole crowd stops reading. */
  stall(crowd: string): void;
  /** It reads on. */
  read(crowd: string): void;
  /** The whole crowd loses its connections. */
  drop(crowd: string): void;
  /** It comes back, each client from where it was. Resolves when all of them are in. */
  comeBack(crowd: string): Promise<void>;
  /** One client begins to ask for more than its share. */
  beGreedy(port: number, greed: Greed): Promise<void>;
  /** It ends. */
  endGreed(): Greedy;
}

export interface Received {
  /** Whether everyone who is still there has everything. */
  readonly complete: boolean;
  /** Clients whose connection the server has ended, and why in the last case. */
  readonly lost: number;
  readonly lostBecause: string;
  readonly deliveries: number;
  /** Bytes on the wire, over all clients. */
  readonly bytes: number;
  /** From the first delivery to the last that was waited for, in ms. */
  readonly elapsedMs: number;
  /** From publishing to arrival, over a sample of the deliveries, in ms; null without any. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Events that came twice, too late, or not at all though a later one did. */
  readonly mistakes: number;
  /** The first of them, in words. */
  readonly firstMistake: string;
}

/** Commands without pause, or the whole log again and again. */
export type Greed = "commands" | "replays";

export interface Greedy {
  /** Bytes that it sent and was sent. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly closed: boolean;
}

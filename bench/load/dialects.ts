import type { Peer } from "../calls.ts";
import { workflowOf } from "../event.ts";
import { clientFrame } from "./frames.ts";

/** State that a client needs to resume. */
export interface Memory {
  /** The server's greeting, with the client's id and the log's id. */
  greeting?: string;
  /** The latest event as received. */
  newest?: string;
}

/** A client's reaction to a message that is not an event. */
export interface Reaction {
  readonly say?: Buffer;
  /** The client is subscribed and receives events from now on. */
  readonly isIn?: boolean;
  readonly isGreeting?: boolean;
}

/** The protocol of one kind of server. */
export interface Dialect {
  /** Returns the URL path: for one workflow or everything, from the start or from a cursor. */
  path(workflow: number | undefined, memory: Memory | undefined): string;
  /** Whether the WebSocket handshake completes the connection. */
  readonly isInAtOnce: boolean;
  /**
   * Reacts to a message that is not an event.
   * @param memory state of a client that resumes.
   */
  react(message: Buffer, memory: Memory | undefined): Reaction | undefined;
}

const flock: Dialect = {
  path: (workflow, memory) => {
    const query = new URLSearchParams();
    if (workflow !== undefined) query.set("correlation_id", workflowOf(workflow));
    if (memory?.greeting !== undefined && memory.newest !== undefined) {
      query.set("epoch", (JSON.parse(memory.greeting) as { epoch: string }).epoch);
      query.set("since", String((JSON.parse(memory.newest) as { seq: number }).seq));
    }
    return `/plugin/ws?${query}`;
  },
  isInAtOnce: false,
  react: (message) => {
    return message.toString("latin1", 0, HELLO.length) === HELLO ? { isIn: true, isGreeting: true } : undefined;
  },
};
const HELLO = '{"type":"hello"';

const ws: Dialect = {
  path: (workflow) => (workflow === undefined ? "/" : `/?follow=${workflowOf(workflow)}`),
  isInAtOnce: true,
  react: () => undefined,
};

// Engine.IO: 0 opens, 2 is a ping, 3 a pong. Socket.IO: 40 joins, with the data for a later recovery.
const socketIo: Dialect = {
  path: (workflow) =>
    `/socket.io/?EIO=4&transport=websocket${workflow === undefined ? "" : `&follow=${workflowOf(workflow)}`}`,
  isInAtOnce: false,
  react: (message, memory) => {
    switch (message.toString("latin1", 0, 2)) {
      case "0{":
        return { say: clientFrame(memory ? `40${JSON.stringify(sessionOf(memory))}` : "40") };
      case "2":
        return { say: SIGN_OF_LIFE };
      case "40":
        return { isIn: true, isGreeting: true };
      default:
        return undefined;
    }
  },
};
const SIGN_OF_LIFE = clientFrame("3");

function sessionOf({ greeting = "40{}", newest }: Memory): object {
  const { pid } = JSON.parse(greeting.slice(2)) as { pid?: string };
  const offset = newest === undefined ? undefined : (JSON.parse(newest.slice(2)) as unknown[]).at(-1);
  return { pid, offset };
}

export const DIALECTS: Readonly<Record<Peer, Dialect>> = { flock, ws, "socket.io": socketIo };

import type { Peer } from "../calls.ts";
import { workflowOf } from "../event.ts";
import { clientFrame } from "./frames.ts";

/** What a client remembers, so that it can come back. */
export interface Memory {
  /** The server's greeting, which says who the client is and which log this is. */
  greeting?: string;
  /** The newest event, as it came. */
  newest?: string;
}

/** What a client makes of a message that is no event. */
export interface Reaction {
  readonly say?: Buffer;
  /** The client is in: what happens from now on, it will be sent. */
  readonly isIn?: boolean;
  readonly isGreeting?: boolean;
}

/** How a client talks with one kind of server. */
export interface Dialect {
  /** Where it connects: to follow a workflow, or everything; anew, or from where it was. */
  path(workflow: number | undefined, memory: Memory | undefined): string;
  /** Whether the WebSocket's own handshake is all there is. */
  readonly isInAtOnce: boolean;
  /** @param memory what a client remembers that comes back. */
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

// Engine.IO: 0 opens, 2 asks for a sign of life, 3 is one; Socket.IO: 40 joins, with what is needed to come back.
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

import { randomUUID } from "node:crypto";
import type { Socket } from "node:net";
import { CLOSE, type CloseCode, type Command, type ControlMessage, type Filter } from "@flock/protocol";
import type { WebSocket } from "ws";
import type { EventLog } from "../events/event-log.ts";
import { textFrame } from "../events/frame.ts";
import type { Batch } from "../events/tail.ts";
import { Budget, type BudgetLimits } from "./budget.ts";
import type { Member } from "./cohorts.ts";
import { type CommandTarget, errorBodyOf, readMessage } from "./commands.ts";
import { beginningOf, expired, type Start } from "./start.ts";

/** The hub, as a connection sees it. */
export interface Surroundings {
  readonly log: EventLog;
  readonly target: CommandTarget;
  readonly limits: BudgetLimits;
  /** Up to this seq every live connection has been sent what it wants to see. */
  readonly position: number;
  /** Moves `position` to the head of the log. */
  flush(): void;
  /** The connection has come to `position` and takes part in what is sent from here on. */
  goLive(connection: Connection): void;
  /** The connection has a cursor of its own from here on. */
  fallBehind(connection: Connection): void;
  /** Calls the connection's `advance` soon, when it is its turn. */
  takeTurn(connection: Connection): void;
  /** Calls the connection's `work` soon, when it is its turn. */
  takeCommandTurn(connection: Connection): void;
  /** So much has been handed to a socket. */
  sent(events: number, bytes: number): void;
  /** A command has been read, or a message refused. */
  received(): void;
  closed(connection: Connection): void;
  /** Something failed that the client is not told about. */
  failed(error: unknown, what: string): void;
}

/** `closing`: we are done with the client; `gone`: it has left, and what it said before that is still done. */
type State = "behind" | "live" | "closing" | "gone";

/** A message as it came. */
interface Message {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** How much one read takes. Unfiltered it is a view of shared memory; filtered it is a copy, so less of it. */
const SLICE_BYTES = { everything: 256 * 1024, filtered: 64 * 1024 };
/** Ten protocol errors in ten seconds, as the contract has it. */
const MAX_ERRORS = 10;
const ERROR_WINDOW_MS = 10_000;
/** Commands of one connection that may be at work at once. Beyond as many that are at work or wait for it, we do not read. */
const MAX_COMMANDS_AT_WORK = 64;
/** How long one connection's commands may take in one turn, in ms, before those of the next have theirs. */
const COMMANDS_MS = 0.5;
/** Replies that may wait for a slow reader, in bytes, before we stop reading its commands. */
const MAX_REPLY_BYTES = 1024 * 1024;
/** How long a peer may take to answer our close frame. */
const CLOSE_TIMEOUT_MS = 1_000;

const NOTHING = Buffer.alloc(0);

/**
 * One client. While it keeps up it has no place of its own in the log: the hub sends it what it sends to its cohort.
 * When its socket does not take everything at once it is `behind`: a cursor, which goes on from where the socket got to
 * when that has drained. So what waits for a slow client is one slice of memory that others share.
 */
export class Connection implements Member {
  readonly id = randomUUID();
  readonly #hub: Surroundings;
  readonly #websocket: WebSocket;
  readonly #socket: Socket;
  #filter: Filter | undefined;
  #state: State = "behind";
  #cursor = 0;
  #subscriptions = 0;
  #owesCaughtUp = false;
  /** A turn is coming, at once or when the socket has drained. */
  #waiting = false;
  readonly #budget: Budget;
  /** What has been read and waits for its turn: seldom more than came out of the socket in one piece. */
  readonly #inbox: Message[] = [];
  #commandTurnComes = false;
  #commandsAtWork = 0;
  #repliesWait = false;
  /** Runs while the connection has no budget left. */
  #rest: NodeJS.Timeout | undefined;
  #paused = false;
  #errors: number[] = [];
  #pinged = false;
  #heard = true;
  #terminator: NodeJS.Timeout | undefined;

  /** @param socket the TCP socket under `websocket`, which ready frames are written to as they are. */
  constructor(hub: Surroundings, websocket: WebSocket, socket: Socket) {
    this.#hub = hub;
    this.#websocket = websocket;
    this.#socket = socket;
    this.#budget = new Budget(hub.limits, performance.now());
    websocket.on("message", (data, isBinary) => this.#receive(data as Buffer, isBinary));
    websocket.on("pong", this.#hear);
    websocket.on("ping", () => this.#countPing());
    // The close code says what was wrong with the client's frames; there is nothing more to do about it.
    websocket.on("error", () => {});
    websocket.on("close", () => this.#end());
  }

  /** What the client wants to see; undefined: everything. */
  get filter(): Filter | undefined {
    return this.#filter;
  }

  /** How many events of the log this connection has yet to be sent, or to be spared by its filter. */
  get lag(): number {
    return this.#state === "behind" ? Math.max(0, this.#hub.position - this.#cursor) : 0;
  }

  /** Whether the connection has a cursor of its own. */
  get isBehind(): boolean {
    return this.#state === "behind";
  }

  /** Begins, or begins anew, to deliver what passes `filter`. */
  subscribe(filter: Filter, start: Start): void {
    if (!this.#isOpen) return;
    const { log } = this.#hub;
    // A seq that the client knows from a reply may not have been flushed yet.
    if (start.since !== undefined && start.since > this.#hub.position) this.#hub.flush();
    if (this.#state === "live") this.#leave(this.#hub.position);
    this.#subscriptions += 1;
    this.#filter = Object.values(filter).some((part) => part !== undefined) ? filter : undefined;
    if (start.since !== undefined) {
      const { cursor, gap } = beginningOf(start, log, this.#hub.position, this.#filter);
      this.#cursor = cursor;
      this.#owesCaughtUp = true;
      if (gap) this.send(gap);
    }
    this.#awaitTurn();
  }

  /** The first subscription of a connection. */
  open(filter: Filter, start: Start): void {
    this.#cursor = this.#hub.position;
    this.subscribe(filter, start);
  }

  deliver({ frames, events, seq }: Batch): void {
    this.#write(frames, events);
    if (this.#socket.writableLength === 0) return;
    this.#leave(seq);
    this.#awaitDrain();
  }

  miss(seq: number): void {
    this.#leave(seq);
    this.#awaitTurn();
  }

  /** Sends the next slice of what the connection is behind with, or goes live when there is none. */
  advance(): void {
    this.#waiting = false;
    if (this.#state !== "behind") return;
    const { log, position } = this.#hub;
    const kept = log.oldest - 1;
    if (this.#cursor < kept) {
      this.send(expired(this.#cursor, kept));
      this.#cursor = kept;
    }
    if (this.#cursor >= position) {
      this.#goLive();
      return;
    }
    const size = this.#filter ? SLICE_BYTES.filtered : SLICE_BYTES.everything;
    const reading = log.read(this.#cursor, position, this.#filter, size);
    if (!(reading instanceof Promise)) {
      this.#take(reading);
      return;
    }
    this.#waiting = true;
    const subscription = this.#subscriptions;
    reading.then(
      (batch) => {
        this.#waiting = false;
        // Whoever has subscribed anew meanwhile has another cursor and another filter.
        if (subscription === this.#subscriptions) this.#take(batch);
        else this.#awaitTurn();
      },
      (error) => {
        this.#hub.failed(error, "the log could not be read");
        this.close(CLOSE.tryAgainLater);
      },
    );
  }

  #take({ frames, events, seq }: Batch): void {
    if (this.#state !== "behind") return;
    this.#cursor = seq;
    if (events > 0) this.#write(frames, events);
    if (this.#socket.writableLength > 0) this.#awaitDrain();
    else this.#awaitTurn();
  }

  /** Sends a message that is not in the log. */
  send(message: ControlMessage): void {
    if (this.#isOpen) this.#write(textFrame(JSON.stringify(message)), 0);
  }

  /** The heartbeat's beat: asks for a sign of life, or closes when the last one asked for did not come. */
  beat(message: ControlMessage): void {
    if (!this.#isOpen) return;
    if (this.#pinged && !this.#heard && !this.#isKeptWaiting) {
      this.close(CLOSE.heartbeatMissed);
      return;
    }
    this.#pinged = true;
    this.#heard = false;
    // What waits in a slow socket is asked after by its draining.
    if (this.#socket.writableLength > 0) return;
    this.#websocket.ping();
    this.send(message);
  }

  /** Says why, closes, and does not wait long for the answer. */
  close({ code, meaning }: CloseCode, last?: ControlMessage): void {
    if (!this.#isOpen) return;
    if (last) this.send(last);
    if (this.#state === "live") this.#leave(this.#hub.position);
    this.#state = "closing";
    this.#inbox.length = 0;
    clearTimeout(this.#rest);
    this.#websocket.close(code, meaning);
    this.#terminator = setTimeout(() => this.#websocket.terminate(), CLOSE_TIMEOUT_MS);
  }

  #write(frames: Buffer, events: number): void {
    // Nothing may follow a close frame (RFC 6455 section 5.5.1), and `ws` has answered the client's already.
    if (this.#websocket.readyState !== this.#websocket.OPEN) return;
    this.#socket.write(frames);
    this.#hub.sent(events, frames.length);
  }

  #goLive(): void {
    this.#state = "live";
    if (this.#owesCaughtUp) {
      this.#owesCaughtUp = false;
      this.send({ type: "caught_up", seq: this.#hub.position });
    }
    this.#hub.goLive(this);
  }

  #leave(seq: number): void {
    this.#state = "behind";
    this.#cursor = seq;
    this.#hub.fallBehind(this);
  }

  #awaitTurn(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#hub.takeTurn(this);
  }

  /** `drain` comes only to those who filled the buffer; an empty write is done when everything before it is. */
  #awaitDrain(): void {
    this.#waiting = true;
    this.#socket.write(NOTHING, (error) => {
      if (error) return;
      this.#hear();
      this.#hub.takeTurn(this);
    });
  }

  readonly #hear = (): void => {
    this.#heard = true;
  };

  #receive(data: Buffer, isBinary: boolean): void {
    this.#hear();
    if (!this.#isOpen) return;
    this.#inbox.push({ data, isBinary });
    this.#awaitCommandTurn();
    this.#readOnlyAsFastAsServed();
  }

  /** A ping is answered before we hear of it; it costs nonetheless. */
  #countPing(): void {
    this.#hear();
    this.#budget.payForMessage(0);
    if (this.#isOpen && this.#budget.isSpent(performance.now())) this.#restAWhile();
  }

  /** Does what the client has said, in order, until its turn is over or something has to be waited for. */
  work(): void {
    this.#commandTurnComes = false;
    for (const until = performance.now() + COMMANDS_MS; this.#mayWork(); ) {
      this.#handle(this.#inbox.shift() as Message);
      if (performance.now() >= until) break;
    }
    this.#awaitCommandTurn();
    this.#readOnlyAsFastAsServed();
  }

  /** Takes a turn if there is something to do, and nothing to wait for whose end will take one. */
  #awaitCommandTurn(): void {
    if (this.#commandTurnComes || !this.#mayWork()) return;
    this.#commandTurnComes = true;
    this.#hub.takeCommandTurn(this);
  }

  #mayWork(): boolean {
    if (this.#inbox.length === 0 || this.#commandsAtWork >= MAX_COMMANDS_AT_WORK) return false;
    // It can ask for nothing more.
    if (this.#state === "gone") return true;
    if (this.#repliesWait || this.#rest) return false;
    if (!this.#budget.isSpent(performance.now())) return true;
    this.#restAWhile();
    return false;
  }

  #restAWhile(): void {
    if (this.#rest) return;
    const rest = this.#budget.rest(performance.now());
    if (rest === undefined) {
      this.close(CLOSE.tooManyCommands);
      return;
    }
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      this.#awaitCommandTurn();
      this.#readOnlyAsFastAsServed();
    }, rest);
    this.#readOnlyAsFastAsServed();
  }

  #handle({ data, isBinary }: Message): void {
    this.#budget.payForMessage(data.length);
    const reading = readMessage(data, isBinary);
    if (!reading) return;
    this.#hub.received();
    if ("command" in reading) {
      void this.#execute(reading.command);
      return;
    }
    const { id, error } = reading.refusal;
    if (id === undefined) this.send({ type: "error", code: error.code, message: error.message });
    else this.send({ type: "reply", id, ok: false, seq: this.#hub.position, error });
    this.#countError();
    this.#noteWaitingReplies();
  }

  async #execute(command: Command): Promise<void> {
    const id = command.id ?? null;
    this.#commandsAtWork += 1;
    try {
      const { seq, result } = await this.#resultOf(command);
      this.send({ type: "reply", id, ok: true, seq, result });
    } catch (error) {
      let body = errorBodyOf(error);
      if (!body) {
        this.#hub.failed(error, `the command ${command.type} failed`);
        body = { code: "internal", message: "something went wrong inside the server: its log has the details" };
      }
      this.send({ type: "reply", id, ok: false, seq: this.#hub.position, error: body });
    } finally {
      this.#commandsAtWork -= 1;
      this.#noteWaitingReplies();
      this.#awaitCommandTurn();
      this.#readOnlyAsFastAsServed();
    }
  }

  #resultOf(command: Command): { seq: number; result: unknown } | Promise<{ seq: number; result: unknown }> {
    const { target } = this.#hub;
    switch (command.type) {
      case "publish":
        return target.publish(command);
      case "invoke":
        return target.invoke(command);
      case "cancel":
        return target.cancel(command);
      case "graph": {
        const graph = target.graph();
        return { seq: graph.seq, result: graph };
      }
      case "ping":
        return { seq: this.#hub.position, result: { timestamp: new Date().toISOString() } };
      case "subscribe": {
        const { filter, since, epoch } = command;
        if (since !== undefined) this.#budget.payForReplay();
        this.subscribe(filter, { since, epoch });
        return { seq: this.#hub.position, result: { head: this.#hub.position } };
      }
    }
  }

  #countError(): void {
    const now = performance.now();
    this.#errors = this.#errors.filter((at) => now - at < ERROR_WINDOW_MS);
    this.#errors.push(now);
    if (this.#errors.length >= MAX_ERRORS) this.close(CLOSE.policy);
  }

  /** A client that sends commands and does not read the replies waits in its own socket, not in our memory. */
  #noteWaitingReplies(): void {
    if (this.#repliesWait || !this.#isOpen || this.#socket.writableLength <= MAX_REPLY_BYTES) return;
    this.#repliesWait = true;
    this.#socket.write(NOTHING, () => {
      this.#repliesWait = false;
      this.#awaitCommandTurn();
      this.#readOnlyAsFastAsServed();
    });
  }

  #readOnlyAsFastAsServed(): void {
    if (!this.#isOpen) return;
    const enough = this.#inbox.length + this.#commandsAtWork >= MAX_COMMANDS_AT_WORK;
    const pause = enough || this.#repliesWait || this.#rest !== undefined;
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#websocket.pause();
    else {
      this.#websocket.resume();
      // Its sign of life may have waited with everything else.
      this.#hear();
    }
  }

  get #isOpen(): boolean {
    return this.#state === "behind" || this.#state === "live";
  }

  /** Whether it is us, and not its own slow reading, that keep the client's messages waiting. */
  get #isKeptWaiting(): boolean {
    return this.#paused && !this.#repliesWait;
  }

  #end(): void {
    clearTimeout(this.#terminator);
    clearTimeout(this.#rest);
    this.#hub.closed(this);
    if (!this.#isOpen) return;
    if (this.#state === "live") this.#leave(this.#hub.position);
    this.#state = "gone";
    this.#awaitCommandTurn();
  }
}

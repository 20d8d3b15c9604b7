import {
  CLOSE,
  type CloseCode,
  type Command,
  type ControlMessage,
  type Filter,
  type Principal,
} from "@flock-ts/protocol";
import type { Start } from "../start.ts";
import type { HubContext } from "../subscriber.ts";
import { errorBodyOf, readMessage } from "./messages.ts";
import { RateLimiter } from "./rate-limiter.ts";

/** The connection that an commandQueue belongs to, as the commandQueue sees it. */
interface Speaker {
  readonly principal: Principal;
  readonly isOpen: boolean;
  /** The client has left. */
  readonly isGone: boolean;
  /** Bytes that wait in the socket. */
  readonly unsentBytes: number;
  /** Calls `then` when everything that waits in the socket is out. */
  whenSent(then: () => void): void;
  /** Returns how many bytes that is. */
  send(message: ControlMessage): number;
  subscribe(filter: Filter, start: Start): void;
  close(why: CloseCode): void;
  /** Ends the connection after an exception while it was served. Does not throw. */
  fail(error: unknown): void;
  /** Reads no more of what the client says, until `resume`. */
  pause(): void;
  resume(): void;
}

/** A message as it came. */
interface Message {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** Ten protocol errors in ten seconds, as the contract has it. */
const MAX_ERRORS = 10;
const ERROR_WINDOW_MS = 10_000;
/** Commands of one connection that may be at work at once. Beyond as many that are at work or wait for it, we do not read. */
const MAX_COMMANDS_AT_WORK = 64;
/** How long one connection's commands may take in one turn, in ms, before those of the next have theirs. */
const COMMANDS_MS = 0.5;
/** Replies that may wait for a slow subscriber, in bytes, before we stop reading its commands. */
const MAX_REPLY_BYTES = 1024 * 1024;

/** What one client says: done in order, in turns with the others, and read only as fast as it is done and paid for. */
export class CommandQueue {
  readonly #connection: Speaker;
  readonly #hub: HubContext;
  readonly #budget: RateLimiter;
  /** What has been read and waits for its turn: seldom more than came out of the socket in one piece. */
  readonly #messages: Message[] = [];
  #turnComes = false;
  #atWork = 0;
  #repliesWait = false;
  /** Runs while the connection has no budget left. */
  #rest: NodeJS.Timeout | undefined;
  #paused = false;
  #errors: number[] = [];

  constructor(connection: Speaker, hub: HubContext) {
    this.#connection = connection;
    this.#hub = hub;
    this.#budget = new RateLimiter(hub.limits, performance.now());
  }

  /** Whether it is us, and not the client's own slow reading, that keep its messages waiting. */
  get keepsWaiting(): boolean {
    return this.#paused && !this.#repliesWait;
  }

  /** Takes a message in. */
  receive(data: Buffer, isBinary: boolean): void {
    this.#messages.push({ data, isBinary });
    this.#awaitTurn();
    this.#readOnlyAsFastAsServed();
  }

  /** Pays for a ping, which has been answered already. */
  countPing(): void {
    this.#budget.payForMessage(0);
    if (this.#budget.isSpent(performance.now())) this.#restAWhile();
  }

  /** Does what the client has said, in order, until its turn is over or something has to be waited for. */
  work(): void {
    this.#turnComes = false;
    for (const until = performance.now() + COMMANDS_MS; this.#mayWork(); ) {
      this.#handle(this.#messages.shift() as Message);
      if (performance.now() >= until) break;
    }
    this.#awaitTurn();
    this.#readOnlyAsFastAsServed();
  }

  /** Ends the connection after an exception while it was served. */
  fail(error: unknown): void {
    this.#connection.fail(error);
  }

  /** Forgets what has not been done: the connection is closing. */
  clear(): void {
    this.#messages.length = 0;
    clearTimeout(this.#rest);
  }

  /** The client has left: what it said before that is still done. */
  finish(): void {
    clearTimeout(this.#rest);
    this.#awaitTurn();
  }

  /** Takes a turn if there is something to do, and nothing to wait for whose end will take one. */
  #awaitTurn(): void {
    if (this.#turnComes || !this.#mayWork()) return;
    this.#turnComes = true;
    this.#hub.takeCommandTurn(this);
  }

  #mayWork(): boolean {
    if (this.#messages.length === 0 || this.#atWork >= MAX_COMMANDS_AT_WORK) return false;
    // It can ask for nothing more.
    if (this.#connection.isGone) return true;
    if (this.#repliesWait || this.#rest) return false;
    if (!this.#budget.isSpent(performance.now())) return true;
    this.#restAWhile();
    return false;
  }

  #restAWhile(): void {
    if (this.#rest) return;
    const rest = this.#budget.rest(performance.now());
    if (rest === undefined) {
      this.#connection.close(CLOSE.tooManyCommands);
      return;
    }
    this.#rest = setTimeout(() => {
      this.#rest = undefined;
      try {
        this.#awaitTurn();
        this.#readOnlyAsFastAsServed();
      } catch (error) {
        this.fail(error);
      }
    }, rest);
    this.#readOnlyAsFastAsServed();
  }

  #handle({ data, isBinary }: Message): void {
    this.#budget.payForMessage(data.length);
    const reading = readMessage(data, isBinary);
    if (!reading) return;
    this.#hub.received();
    if ("command" in reading) {
      this.#execute(reading.command).catch((error) => this.fail(error));
      return;
    }
    const { id, error } = reading.refusal;
    if (id === undefined) this.#reply({ type: "error", code: error.code, message: error.message });
    else this.#reply({ type: "reply", id, ok: false, seq: this.#hub.position, error });
    this.#countError();
    this.#noteWaitingReplies();
  }

  async #execute(command: Command): Promise<void> {
    const id = command.id ?? null;
    this.#atWork += 1;
    try {
      const { seq, result } = await this.#resultOf(command);
      this.#reply({ type: "reply", id, ok: true, seq, result });
    } catch (error) {
      let body = errorBodyOf(error);
      if (!body) {
        this.#hub.failed(error, `the command ${command.type} failed`);
        body = { code: "internal", message: "something went wrong inside the server: its log has the details" };
      }
      this.#reply({ type: "reply", id, ok: false, seq: this.#hub.position, error: body });
    } finally {
      this.#atWork -= 1;
      this.#noteWaitingReplies();
      this.#awaitTurn();
      this.#readOnlyAsFastAsServed();
    }
  }

  #resultOf(command: Command): { seq: number; result: unknown } | Promise<{ seq: number; result: unknown }> {
    const { target } = this.#hub;
    const { principal } = this.#connection;
    switch (command.type) {
      case "publish":
        return target.publish(command, principal);
      case "invoke":
        return target.invoke(command, principal);
      case "cancel":
        return target.cancel(command, principal);
      case "answer":
        return target.answer(command.question_id, command, principal);
      case "pause":
        return target.pause(command, principal);
      case "resume":
        return target.resume(command, principal);
      case "graph": {
        const graph = target.graph(principal);
        return { seq: graph.seq, result: graph };
      }
      case "ping":
        return { seq: this.#hub.position, result: { timestamp: new Date().toISOString() } };
      case "subscribe": {
        const { filter, since, epoch } = command;
        if (since !== undefined) this.#budget.payForReplay();
        this.#connection.subscribe(filter, { since, epoch });
        return { seq: this.#hub.position, result: { head: this.#hub.position } };
      }
    }
  }

  #reply(message: ControlMessage): void {
    this.#budget.payForReply(this.#connection.send(message));
  }

  #countError(): void {
    const now = performance.now();
    this.#errors = this.#errors.filter((at) => now - at < ERROR_WINDOW_MS);
    this.#errors.push(now);
    if (this.#errors.length >= MAX_ERRORS) this.#connection.close(CLOSE.policy);
  }

  /** A client that sends commands and does not read the replies waits in its own socket, not in our memory. */
  #noteWaitingReplies(): void {
    const { isOpen, unsentBytes } = this.#connection;
    if (this.#repliesWait || !isOpen || unsentBytes <= MAX_REPLY_BYTES) return;
    this.#repliesWait = true;
    this.#connection.whenSent(() => {
      this.#repliesWait = false;
      this.#awaitTurn();
      this.#readOnlyAsFastAsServed();
    });
  }

  #readOnlyAsFastAsServed(): void {
    if (!this.#connection.isOpen) return;
    const enough = this.#messages.length + this.#atWork >= MAX_COMMANDS_AT_WORK;
    const pause = enough || this.#repliesWait || this.#rest !== undefined;
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#connection.pause();
    else this.#connection.resume();
  }
}

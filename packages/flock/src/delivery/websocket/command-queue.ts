import {
  CLOSE,
  type CloseCode,
  type Command,
  type ControlMessage,
  type Filter,
  type Principal,
} from "@flock-ts/protocol";
import { elapsed } from "../../core/clock.ts";
import type { HubContext, PendingCommands } from "../hub-context.ts";
import type { Start } from "../start.ts";
import { errorBodyOf, readMessage } from "./messages.ts";
import { RateLimiter } from "./rate-limiter.ts";

/** The connection of a command queue. */
interface CommandConnection {
  readonly principal: Principal;
  readonly isOpen: boolean;
  /** Whether the client has disconnected. */
  readonly isGone: boolean;
  /** How many bytes wait in the socket. */
  readonly unsentBytes: number;
  /** Calls `then` when the socket has sent everything. */
  whenSent(then: () => void): void;
  /** Sends a message. Returns its size in bytes. */
  send(message: ControlMessage): number;
  subscribe(filter: Filter, start: Start): void;
  close(why: CloseCode): void;
  /** Closes the connection after an exception while it was served. Does not throw. */
  fail(error: unknown): void;
  /** Stops reading from the socket, until `resume`. */
  pause(): void;
  resume(): void;
}

/** A message as received. */
interface Message {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

/** The wire contract allows fewer than ten protocol errors in ten seconds. */
const MAX_ERRORS = 10;
const ERROR_WINDOW_MS = 10_000;
/** How many commands of one connection may be in progress. When as many are in progress or queued, reading stops. */
const MAX_COMMANDS_IN_PROGRESS = 64;
/** How long the commands of one connection may take per time slice, in ms. */
const SLICE_MS = 0.5;
/** How many bytes of replies may wait for a slow client before reading stops. */
const MAX_REPLY_BYTES = 1024 * 1024;

/**
 * The commands of one client, executed in order and in time slices. The socket is read only as fast as commands are
 * executed, their replies are taken, and the rate limit allows.
 */
export class CommandQueue implements PendingCommands {
  readonly #connection: CommandConnection;
  readonly #hub: HubContext;
  readonly #rateLimiter: RateLimiter;
  /** Messages that are read and not yet executed: seldom more than one read of the socket. */
  readonly #messages: Message[] = [];
  #isScheduled = false;
  #inProgress = 0;
  #repliesWait = false;
  /** Cancels the end of the current throttling; undefined while the rate limit allows commands. */
  #cancelThrottle: (() => void) | undefined;
  #isPaused = false;
  #errors: number[] = [];

  constructor(connection: CommandConnection, hub: HubContext) {
    this.#connection = connection;
    this.#hub = hub;
    this.#rateLimiter = new RateLimiter(hub.limits, this.#now());
  }

  /** Whether messages are not read at present. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** Whether the server, and not a slow client, is the reason why messages are not read. */
  get isThrottled(): boolean {
    return this.#isPaused && !this.#repliesWait;
  }

  /** Queues a message. */
  receive(data: Buffer, isBinary: boolean): void {
    this.#messages.push({ data, isBinary });
    this.#schedule();
    this.#updateReading();
  }

  /** Counts a ping, which has been answered, against the rate limit. */
  countPing(): void {
    this.#rateLimiter.payForMessage(0);
    if (this.#rateLimiter.isSpent(this.#now())) this.#throttle();
  }

  /** Executes commands in order, until the time slice is over or something has to be awaited. */
  work(): void {
    this.#isScheduled = false;
    for (const until = this.#now() + SLICE_MS; this.#mayExecute(); ) {
      this.#handle(this.#messages.shift() as Message);
      if (this.#now() >= until) break;
    }
    this.#schedule();
    this.#updateReading();
  }

  fail(error: unknown): void {
    this.#connection.fail(error);
  }

  /** Drops pending messages: the server is closing the connection. */
  clear(): void {
    this.#messages.length = 0;
    this.#cancelThrottle?.();
  }

  /** The client has disconnected. The messages it sent before are still executed. */
  finish(): void {
    this.#cancelThrottle?.();
    this.#schedule();
  }

  #now(): number {
    return elapsed(this.#hub.clock);
  }

  /** Queues a time slice, if there is something to execute now. The end of a wait calls this again. */
  #schedule(): void {
    if (this.#isScheduled || !this.#mayExecute()) return;
    this.#isScheduled = true;
    this.#hub.scheduleCommands(this);
  }

  #mayExecute(): boolean {
    if (this.#messages.length === 0 || this.#inProgress >= MAX_COMMANDS_IN_PROGRESS) return false;
    // A client that has disconnected can send no more: its last messages need no limit.
    if (this.#connection.isGone) return true;
    if (this.#repliesWait || this.#cancelThrottle) return false;
    if (!this.#rateLimiter.isSpent(this.#now())) return true;
    this.#throttle();
    return false;
  }

  #throttle(): void {
    if (this.#cancelThrottle) return;
    const delay = this.#rateLimiter.delay(this.#now());
    if (delay === undefined) {
      this.#connection.close(CLOSE.tooManyCommands);
      return;
    }
    const end = () => {
      this.#cancelThrottle = undefined;
      try {
        this.#schedule();
        this.#updateReading();
      } catch (error) {
        this.fail(error);
      }
    };
    this.#cancelThrottle = this.#hub.clock.after(delay, end, true);
    this.#updateReading();
  }

  #handle({ data, isBinary }: Message): void {
    this.#rateLimiter.payForMessage(data.length);
    const reading = readMessage(data, isBinary);
    if (!reading) return;
    this.#hub.countCommand();
    if ("command" in reading) {
      this.#execute(reading.command).catch((error) => this.fail(error));
      return;
    }
    const { id, error } = reading.refusal;
    if (id === undefined) this.#reply({ type: "error", code: error.code, message: error.message });
    else this.#reply({ type: "reply", id, ok: false, seq: this.#hub.position, error });
    this.#countError();
    this.#checkReplies();
  }

  async #execute(command: Command): Promise<void> {
    const id = command.id ?? null;
    this.#inProgress += 1;
    try {
      const { seq, result } = await this.#resultOf(command);
      this.#reply({ type: "reply", id, ok: true, seq, result });
    } catch (error) {
      let body = errorBodyOf(error);
      if (!body) {
        this.#hub.failed(error, `failed to execute the command ${command.type}`);
        body = { code: "internal", message: "Internal error: the server log has the details." };
      }
      this.#reply({ type: "reply", id, ok: false, seq: this.#hub.position, error: body });
    } finally {
      this.#inProgress -= 1;
      this.#checkReplies();
      this.#schedule();
      this.#updateReading();
    }
  }

  #resultOf(command: Command): { seq: number; result: unknown } | Promise<{ seq: number; result: unknown }> {
    const { commands, position } = this.#hub;
    const { principal } = this.#connection;
    switch (command.type) {
      case "publish":
        return commands.publish(command, principal);
      case "invoke":
        return commands.invoke(command, principal);
      case "cancel":
        return commands.cancel(command, principal);
      case "answer":
        return commands.answer(command.question_id, command, principal);
      case "pause":
        return commands.pause(command, principal);
      case "resume":
        return commands.resume(command, principal);
      case "graph": {
        const graph = commands.graph(principal);
        return { seq: graph.seq, result: graph };
      }
      case "ping":
        return { seq: position, result: { timestamp: new Date(this.#hub.clock.now()).toISOString() } };
      case "subscribe": {
        const { filter, since, epoch } = command;
        if (since !== undefined) this.#rateLimiter.payForReplay();
        this.#connection.subscribe(filter, { since, epoch });
        return { seq: this.#hub.position, result: { head: this.#hub.position } };
      }
    }
  }

  #reply(message: ControlMessage): void {
    this.#rateLimiter.payForReply(this.#connection.send(message));
  }

  #countError(): void {
    const now = this.#now();
    this.#errors = this.#errors.filter((at) => now - at < ERROR_WINDOW_MS);
    this.#errors.push(now);
    if (this.#errors.length >= MAX_ERRORS) this.#connection.close(CLOSE.policy);
  }

  /** If a client does not read its replies, commands wait in its own socket instead of the server's memory. */
  #checkReplies(): void {
    const { isOpen, unsentBytes } = this.#connection;
    if (this.#repliesWait || !isOpen || unsentBytes <= MAX_REPLY_BYTES) return;
    this.#repliesWait = true;
    this.#connection.whenSent(() => {
      this.#repliesWait = false;
      this.#schedule();
      this.#updateReading();
    });
  }

  #updateReading(): void {
    if (!this.#connection.isOpen) return;
    const isFull = this.#messages.length + this.#inProgress >= MAX_COMMANDS_IN_PROGRESS;
    const isPaused = isFull || this.#repliesWait || this.#cancelThrottle !== undefined;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#connection.pause();
    else this.#connection.resume();
  }
}

import type { ControlOf } from "@flock-ts/protocol";
import { type ClientErrorCode, FlockClientError } from "./errors.ts";
import { type CommandMessage, textOf } from "./message-text.ts";
import { timerDelay } from "./timers.ts";

interface PendingCommand {
  readonly type: string;
  /** The message as sent: what the caller changes later does not change a repetition. */
  readonly text: string;
  /** The size of the message in UTF-8. */
  readonly bytes: number;
  readonly resolve: (result: never) => void;
  readonly reject: (error: FlockClientError) => void;
  /** Called with a positive reply, before anything that the server sends after it is handled. */
  readonly onSuccess: (() => void) | undefined;
  readonly timer: ReturnType<typeof setTimeout>;
  /** Whether it was sent on the current connection. */
  sent: boolean;
  /** Whether its time is over. It stays only for `onSuccess`: the server can still carry it out. */
  expired: boolean;
}

/** The connection of {@link PendingCommands}. */
interface Link {
  /** The largest message that the server accepts, in bytes. Read when `send` is possible. */
  readonly maxMessageBytes: number;
  /** Whether there is a connection that is ready. */
  readonly isReady: boolean;
  send(text: string): void;
}

/**
 * Commands that wait for a reply. They outlive connections: `flush` sends what is unsent once a connection is ready.
 * After a lost connection every command is sent again, except `invoke`, which would run an agent twice.
 */
export class PendingCommands {
  readonly #commands = new Map<number, PendingCommand>();
  readonly #link: Link;
  readonly #timeoutMs: number;
  #lastId = 0;
  #closed: string | undefined;

  /** @param timeoutMs how long a command may take in milliseconds, including time without a connection. */
  constructor(link: Link, timeoutMs: number) {
    this.#link = link;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Sends a command now, or as soon as there is a connection. Resolves to the result with the `seq` of the reply.
   *
   * @param onSuccess is called with a positive reply, before the next message of the server is handled.
   * @throws FlockClientError with the server's code, or `invalid_message`, `message_too_big`, `timeout`,
   * `connection_lost` or `closed`.
   */
  request<R>(message: CommandMessage, onSuccess?: () => void): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const { type } = message;
      const id = ++this.#lastId;
      const text = textOf({ ...message, id });
      const bytes = new TextEncoder().encode(text).length;
      const timer = setTimeout(() => this.#expire(id), timerDelay(this.#timeoutMs));
      const command = { type, text, bytes, resolve, reject, onSuccess, timer, sent: false, expired: false };
      this.#commands.set(id, command);
      if (this.#closed !== undefined) this.close(this.#closed);
      else this.#send(id, command);
    });
  }

  /** Sends all unsent commands, in the order of the requests. Rejects those that the server would not accept. */
  flush(): void {
    for (const [id, command] of this.#commands) this.#send(id, command);
  }

  /** Settles the command that a reply answers. Ignores a reply to a command that is no longer pending. */
  settle({ id, ok, seq, result, error }: ControlOf<"reply">): void {
    const command = this.#take(id as number);
    if (ok) command?.onSuccess?.();
    if (ok) command?.resolve({ ...(result as object), seq } as never);
    else command?.reject(new FlockClientError(error ?? { code: "internal", message: "The server gave no reason." }));
  }

  /**
   * Handles a lost connection: rejects each sent `invoke` and marks all other commands unsent.
   *
   * @param tooBig whether a message was too big for the server or a proxy. Only the largest one is certain to be.
   */
  disconnected(tooBig = false): void {
    const sent = [...this.#commands].filter(([, command]) => command.sent).sort(([, a], [, b]) => b.bytes - a.bytes);
    if (tooBig && sent[0]) this.#rejectSize(sent[0][0], "the connection was closed for its size");
    for (const [id, command] of sent) {
      command.sent = false;
      if (command.expired) this.#take(id);
      else if (command.type === "invoke")
        this.#reject(id, "connection_lost", "no reply before the connection was lost. The agent may have run");
    }
  }

  /** Rejects all commands, and each later one, with code `closed`. */
  close(reason: string): void {
    this.#closed = reason;
    for (const id of this.#commands.keys())
      this.#take(id)?.reject(new FlockClientError({ code: "closed", message: reason }));
  }

  #send(id: number, command: PendingCommand): void {
    const { isReady, maxMessageBytes } = this.#link;
    if (!isReady || command.sent) return;
    command.sent = true;
    if (command.bytes > maxMessageBytes) this.#rejectSize(id, `the limit is ${maxMessageBytes} bytes`);
    else this.#link.send(command.text);
  }

  #expire(id: number): void {
    const command = this.#commands.get(id);
    this.#reject(id, "timeout", `no reply within ${this.#timeoutMs} ms`);
    if (!command?.onSuccess || !command.sent) return;
    command.expired = true;
    this.#commands.set(id, command);
  }

  #rejectSize(id: number, limit: string): void {
    const bytes = this.#commands.get(id)?.bytes;
    this.#reject(id, "message_too_big", `the message has ${bytes} bytes, and ${limit}. Send less`);
  }

  #reject(id: number, code: ClientErrorCode, why: string): void {
    const command = this.#take(id);
    command?.reject(new FlockClientError({ code, message: `Command \`${command.type}\` failed: ${why}.` }));
  }

  #take(id: number): PendingCommand | undefined {
    const command = this.#commands.get(id);
    clearTimeout(command?.timer);
    this.#commands.delete(id);
    return command;
  }
}

import type { ControlOf } from "@flock-ts/protocol";
import { FlockClientError } from "./errors.ts";

/** A command, without its `id`. */
interface CommandMessage {
  readonly type: string;
  readonly [field: string]: unknown;
}

interface PendingCommand {
  readonly message: CommandMessage;
  readonly resolve: (result: never) => void;
  readonly reject: (error: FlockClientError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
  /** Whether it was sent on the current connection. */
  sent: boolean;
}

/**
 * Commands that wait for a reply. They outlive connections: `flush` sends what is unsent once a connection is ready.
 * After a lost connection every command is sent again, except `invoke`, which would run an agent twice.
 */
export class PendingCommands {
  readonly #commands = new Map<number, PendingCommand>();
  readonly #send: (message: object) => boolean;
  readonly #timeoutMs: number;
  #lastId = 0;
  #closed: string | undefined;

  /**
   * @param send transmits a message, or returns false if there is no ready connection.
   * @param timeoutMs how long a command may take in milliseconds, including time without a connection.
   */
  constructor(send: (message: object) => boolean, timeoutMs: number) {
    this.#send = send;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Sends a command now, or as soon as there is a connection. Resolves to the result with the `seq` of the reply.
   *
   * @throws FlockClientError with the server's code, or `timeout`, `connection_lost` or `closed`.
   */
  request<R>(message: CommandMessage): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      const id = ++this.#lastId;
      const timer = setTimeout(() => {
        this.#reject(id, "timeout", `Command \`${message.type}\` failed: no reply within ${this.#timeoutMs} ms.`);
      }, this.#timeoutMs);
      this.#commands.set(id, { message, resolve, reject, timer, sent: this.#send({ id, ...message }) });
      if (this.#closed) this.close(this.#closed);
    });
  }

  /** Sends all unsent commands, in the order of the requests. */
  flush(): void {
    for (const [id, command] of this.#commands) command.sent ||= this.#send({ id, ...command.message });
  }

  /** Settles the command that a reply answers. Ignores a reply to a command that is no longer pending. */
  settle({ id, ok, seq, result, error }: ControlOf<"reply">): void {
    const command = this.#take(id as number);
    if (ok) command?.resolve({ ...(result as object), seq } as never);
    else command?.reject(new FlockClientError(error ?? { code: "internal", message: "The server gave no reason." }));
  }

  /** Handles a lost connection: rejects each sent `invoke` and marks all other commands unsent. */
  disconnected(): void {
    for (const [id, command] of this.#commands) {
      if (command.sent && command.message.type === "invoke") {
        this.#reject(id, "connection_lost", "Connection lost before the reply: the agent may have run.");
      }
      command.sent = false;
    }
  }

  /** Rejects all commands, and each later one, with code `closed`. */
  close(reason: string): void {
    this.#closed = reason;
    for (const id of this.#commands.keys()) this.#reject(id, "closed", reason);
  }

  #reject(id: number, code: string, message: string): void {
    this.#take(id)?.reject(new FlockClientError({ code, message }));
  }

  #take(id: number): PendingCommand | undefined {
    const command = this.#commands.get(id);
    clearTimeout(command?.timer);
    this.#commands.delete(id);
    return command;
  }
}

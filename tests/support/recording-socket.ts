import { text } from "node:stream/consumers";
import { type ControlMessage, controlSchemas, eventSchemas, type FlockEvent } from "@flock-ts/protocol";
import { type ClientOptions, WebSocket } from "ws";
import { Changes, PATIENCE } from "./changes.ts";

/** Any message from a server. */
export type Message = FlockEvent | ControlMessage;
/** The message of one type. */
export type MessageOf<T extends Message["type"]> = Extract<Message, { type: T }>;

/** The HTTP response to a refused WebSocket. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body, parsed when it is JSON. */
  readonly body: unknown;
}

/** How a connection ended. */
export interface Closure {
  readonly code: number;
  readonly reason: string;
}

const schemas = { ...eventSchemas, ...controlSchemas };

/** A server answered the upgrade with plain HTTP. */
export class UpgradeRefused extends Error {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(`the server refused the WebSocket with ${refusal.status}: ${JSON.stringify(refusal.body)}`);
    this.refusal = refusal;
  }
}

/**
 * A WebSocket client that keeps every message and checks each against the wire contract: a message
 * that the schemas do not know, or with a field that they do not have, fails the next thing awaited.
 */
export class RecordingSocket implements AsyncDisposable {
  /** Everything received, in order. */
  readonly messages: Message[] = [];
  /** The same as text, as it came over the wire. */
  readonly texts: string[] = [];
  /** Resolves when the connection has ended, from whichever side. */
  readonly closed: Promise<Closure>;
  /** The `ws` socket, for operations that this class lacks. */
  readonly socket: WebSocket;
  #violation: Error | undefined;
  #thrown = false;
  #closure: Closure | undefined;
  readonly #changes = new Changes();

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (data, isBinary) => this.#receive(data.toString(), isBinary));
    this.closed = new Promise((resolve) => {
      socket.on("close", (code, reason) => {
        this.#closure = { code, reason: reason.toString() };
        resolve(this.#closure);
        this.#changes.tell();
      });
    });
  }

  /** Connects. Throws {@link UpgradeRefused} when the server answers with plain HTTP. */
  static async open(url: string, options: ClientOptions = {}): Promise<RecordingSocket> {
    const socket = new WebSocket(url, options);
    const recording = new RecordingSocket(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once("open", () => resolve());
      socket.once("error", reject);
      socket.once("unexpected-response", (_request, response) => {
        text(response).then((body) => {
          const { statusCode: status = 0, headers } = response;
          reject(new UpgradeRefused({ status, headers, body: parsedIfJson(body) }));
        }, reject);
      });
    });
    // From here on an error always ends in `close`, which tests look at.
    socket.on("error", () => {});
    return recording;
  }

  /** Expects the server to refuse the connection. Resolves to its answer. */
  static async refused(url: string, options: ClientOptions = {}): Promise<Refusal> {
    try {
      await using _accepted = await RecordingSocket.open(url, options);
    } catch (error) {
      if (error instanceof UpgradeRefused) return error.refusal;
      throw error;
    }
    throw new Error(`the server accepted a WebSocket that it had to refuse: ${url}`);
  }

  /** The messages of one type so far. */
  all<T extends Message["type"]>(type: T): MessageOf<T>[] {
    return this.messages.filter((message): message is MessageOf<T> => message.type === type);
  }

  /** The events so far, without control messages. */
  get events(): FlockEvent[] {
    return this.messages.filter((message): message is FlockEvent => "seq" in message && message.type in eventSchemas);
  }

  /** The first message of a type for which `where` holds, among those received and those to come. */
  next<T extends Message["type"]>(
    type: T,
    where: (message: MessageOf<T>) => boolean = () => true,
  ): Promise<MessageOf<T>> {
    return this.until(() => this.all(type).find(where), `a ${type}`);
  }

  /** Resolves to the first value that `look` returns. `what` names it in the error. */
  async until<V>(look: () => V | undefined | false, what: string, within = PATIENCE): Promise<V> {
    return this.#changes.until(
      () => {
        this.#throwViolation();
        const found = look();
        if (this.#closure && (found === undefined || found === false)) {
          throw new Error(`the connection ended without ${what}; ${this.#account()}`);
        }
        return found;
      },
      () => `there was not ${what}; ${this.#account()}`,
      within,
    );
  }

  /** Sends an object as JSON, or a text as it is. */
  send(message: object | string): void {
    this.socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** Sends a command. Resolves to its reply. */
  async command(command: { id: unknown; type: string; [field: string]: unknown }): Promise<MessageOf<"reply">> {
    this.send(command);
    const id = JSON.stringify(command.id);
    return this.next("reply", (reply) => JSON.stringify(reply.id) === id);
  }

  /**
   * Waits until the server has sent everything it had for this connection before now:
   * what has not come by then is not coming. Proof of absence without a sleep.
   */
  async settle(): Promise<void> {
    await this.command({ id: `settle ${crypto.randomUUID()}`, type: "ping" });
  }

  /** Closes the connection with a close frame and waits for its end. */
  async close(code = 1000): Promise<Closure> {
    this.socket.close(code);
    return this.closed;
  }

  /** Ends the connection at once. Throws if an unread message violated the contract. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
    await this.closed;
    this.#throwViolation();
  }

  /** Each violation is thrown once: a second time it would only hide the first. */
  #throwViolation(): void {
    const violation = this.#violation;
    if (!violation || this.#thrown) return;
    this.#thrown = true;
    throw violation;
  }

  #receive(message: string, isBinary: boolean): void {
    this.texts.push(message);
    try {
      if (isBinary) throw new Error("a binary frame");
      const parsed = JSON.parse(message) as Message;
      const schema = schemas[parsed.type];
      if (!schema) throw new Error(`no message of type ${JSON.stringify(parsed.type)} is known`);
      schema.strict().parse(parsed);
      this.messages.push(parsed);
    } catch (error) {
      this.#violation ??= new Error(`the server broke the wire contract with ${message.slice(0, 500)}`, {
        cause: error,
      });
    }
    this.#changes.tell();
  }

  #account(): string {
    const counts = new Map<string, number>();
    for (const { type } of this.messages) counts.set(type, (counts.get(type) ?? 0) + 1);
    const received = [...counts].map(([type, count]) => `${count} ${type}`).join(", ") || "nothing";
    const state = this.#closure ? `closed with ${this.#closure.code} ${this.#closure.reason}` : "still open";
    return `received ${received}; ${state}`;
  }
}

function parsedIfJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return body;
  }
}

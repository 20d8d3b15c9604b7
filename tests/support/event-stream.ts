import { Changes } from "./changes.ts";
import type { Message } from "./recording-socket.ts";

/** One block of Server-Sent Events. */
export interface Block {
  readonly id: string | undefined;
  readonly message: Message;
}

/** A client of Server-Sent Events that keeps everything: by the rules of the HTML standard, as far as they are used here. */
export class EventStreamClient implements AsyncDisposable {
  readonly response: Response;
  /** Every message with the id that came with it, in order. */
  readonly blocks: Block[] = [];
  /** Every comment. */
  readonly comments: string[] = [];
  /** What a client would say in `Last-Event-ID`. */
  lastEventId = "";
  /** The delay before reconnecting, in ms. */
  retry: number | undefined;
  /** Resolves when the stream has ended, from whichever side. */
  readonly ended: Promise<void>;
  readonly #abort: AbortController;
  readonly #changes = new Changes();

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.ended = this.#read(response.body as ReadableStream<Uint8Array>).catch(() => {});
  }

  /** Connects, with additional headers. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<EventStreamClient> {
    const abort = new AbortController();
    const response = await fetch(url, {
      headers: { accept: "text/event-stream", ...headers },
      signal: abort.signal,
    });
    return new EventStreamClient(response, abort);
  }

  get messages(): Message[] {
    return this.blocks.map(({ message }) => message);
  }

  /** The seqs of the events so far. */
  get seqs(): number[] {
    return this.messages.flatMap((message) => ("timestamp" in message && "seq" in message ? [message.seq] : []));
  }

  /** Waits until `look` finds something, and gives it. `what` names it in the error. */
  until<V>(look: () => V | undefined | false, what: string): Promise<V> {
    return this.#changes.until(look, () => `there was not ${what}, but ${JSON.stringify(this.blocks).slice(0, 2_000)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.ended;
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
      rest = blocks.pop() as string;
      for (const block of blocks) this.#take(block.split("\n"));
      this.#changes.tell();
    }
  }

  #take(lines: string[]): void {
    let id: string | undefined;
    let data: string | undefined;
    for (const line of lines) {
      const [, field, value = ""] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
      if (field === "") this.comments.push(value);
      else if (field === "id") this.lastEventId = id = value;
      else if (field === "retry") this.retry = Number(value);
      else if (field === "data") data = value;
    }
    if (data !== undefined) this.blocks.push({ id, message: JSON.parse(data) });
  }
}

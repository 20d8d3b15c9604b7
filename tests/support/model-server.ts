import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { Changes } from "./changes.ts";

/** What a client asked, as far as tests look at it. */
export interface ChatRequest {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: {
    readonly model: string;
    readonly stream?: boolean;
    readonly messages: readonly { readonly role: string; readonly content: unknown }[];
    readonly tools?: readonly { readonly function: { readonly name: string } }[];
    readonly response_format?: {
      readonly type: string;
      readonly json_schema?: {
        readonly name: string;
        readonly schema: Record<string, unknown>;
        readonly strict: boolean;
      };
    };
  };
}

/** How the server answers one request. */
export type Answer = (response: ServerResponse, request: ChatRequest) => void | Promise<void>;

/** What ends a streamed answer. */
interface Ending {
  /** Default `stop`; undefined: the stream breaks off without one. */
  readonly finishReason?: string | undefined;
  /** Bytes of one write; default: a whole chunk. One byte cuts through characters. */
  readonly bytesAtATime?: number;
}

/** An OpenAI-compatible server on the loopback: `/v1/chat/completions` with Server-Sent Events, and `/v1/models`. It ends with the test. */
export class ModelServer implements AsyncDisposable {
  /** What it was asked so far. */
  readonly requests: ChatRequest[] = [];
  /** How many requests were given up by the client. */
  aborted = 0;
  readonly #server: Server;
  readonly #answers: Answer[];
  readonly #changes = new Changes();

  private constructor(server: Server, answers: Answer[]) {
    this.#server = server;
    this.#answers = answers;
  }

  /** Starts a server that gives these answers, one for each request; the last one again and again. */
  static async start(...answers: [Answer, ...Answer[]]): Promise<ModelServer> {
    const server = createServer();
    const models = new ModelServer(server, answers);
    server.on("request", (request, response) => models.#answer(request, response));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return models;
  }

  /** For `OPENAI_BASE_URL`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1`;
  }

  /** Resolves when so many requests have come. */
  async requested(count: number): Promise<void> {
    await this.#changes.until(
      () => this.requests.length >= count,
      () => `only ${this.requests.length} requests came`,
    );
  }

  /** Resolves when a client has given up a request. */
  async gaveUp(): Promise<void> {
    await this.#changes.until(
      () => this.aborted > 0,
      () => "the client still waits",
    );
  }

  async #answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    if (message.method === "GET") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ object: "list", data: [{ id: "test-model", object: "model" }] }));
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk);
    response.on("close", () => {
      if (response.writableFinished) return;
      this.aborted += 1;
      this.#changes.tell();
    });
    const request: ChatRequest = {
      path: message.url ?? "",
      headers: message.headers,
      body: JSON.parse(Buffer.concat(chunks).toString()),
    };
    const answer = this.#answers[Math.min(this.requests.length, this.#answers.length - 1)] as Answer;
    this.requests.push(request);
    this.#changes.tell();
    await answer(response, request);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** Streams texts as deltas. Tells 10 tokens of input, and one of output for each piece. */
export function says(pieces: readonly string[], ending: Ending = {}): Answer {
  return streams(
    pieces.map((content) => ({ delta: { content } })),
    pieces.length,
    ending,
  );
}

/** Streams an object as JSON, in pieces of a few characters. */
export function saysJson(value: unknown, ending: Ending = {}): Answer {
  return says(JSON.stringify(value).match(/.{1,7}/gsu) ?? [], ending);
}

/** Streams an object as JSON, as OpenAI's own interface (`/v1/responses`) does. */
export function respondsJson(value: unknown): Answer {
  const pieces = JSON.stringify(value).match(/.{1,7}/gsu) ?? [];
  const item = { id: "msg_1", type: "message", role: "assistant", status: "in_progress", content: [] };
  const usage = { input_tokens: 10, output_tokens: pieces.length };
  const response = { id: "resp_1", created_at: 1_767_225_600, model: "test-model" };
  return events([
    { type: "response.created", response },
    { type: "response.output_item.added", output_index: 0, item },
    ...pieces.map((delta) => ({
      type: "response.output_text.delta",
      item_id: "msg_1",
      output_index: 0,
      content_index: 0,
      delta,
    })),
    { type: "response.output_item.done", output_index: 0, item: { ...item, status: "completed" } },
    { type: "response.completed", response: { ...response, usage } },
  ]);
}

/** Streams an object as JSON, as Anthropic (`/v1/messages`) does. */
export function messagesJson(value: unknown): Answer {
  const pieces = JSON.stringify(value).match(/.{1,7}/gsu) ?? [];
  const message = { id: "msg_1", type: "message", role: "assistant", model: "test-model", content: [] };
  return events([
    { type: "message_start", message: { ...message, usage: { input_tokens: 10, output_tokens: 0 } } },
    { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
    ...pieces.map((text) => ({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })),
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: pieces.length } },
    { type: "message_stop" },
  ]);
}

/** Server-Sent Events that have a name. */
function events(messages: readonly ({ readonly type: string } & Readonly<Record<string, unknown>>)[]): Answer {
  return (response) => {
    begin(response);
    for (const message of messages) response.write(`event: ${message.type}\ndata: ${JSON.stringify(message)}\n\n`);
    response.end();
  };
}

/** Refuses, as OpenAI's models do. */
export function refuses(...pieces: string[]): Answer {
  return streams(
    pieces.map((refusal) => ({ delta: { refusal } })),
    pieces.length,
    {},
  );
}

/** Calls a tool. */
export function callsTool(name: string, input: unknown): Answer {
  const call = { index: 0, id: `call_${name}`, type: "function", function: { name, arguments: JSON.stringify(input) } };
  return streams([{ delta: { tool_calls: [call] } }], 1, { finishReason: "tool_calls" });
}

/** Fails before it begins to answer. */
export function failsWith(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return (response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(JSON.stringify({ error: { message, type: "test", code: null, param: null } }));
  };
}

/** Begins to answer, and then tells an error in the middle of the stream. */
export function failsAfter(pieces: readonly string[], message: string): Answer {
  return async (response) => {
    begin(response);
    for (const content of pieces) response.write(sse({ choices: [{ index: 0, delta: { content } }] }));
    response.end(sse({ error: { message, type: "server_error", code: null, param: null } }));
  };
}

/** Begins to answer, and then the connection breaks. */
export function breaksAfter(pieces: readonly string[]): Answer {
  return async (response) => {
    begin(response);
    for (const content of pieces) response.write(sse({ choices: [{ index: 0, delta: { content } }] }));
    await turn();
    response.socket?.resetAndDestroy();
  };
}

/** Takes the request, says this much, and then nothing more. */
export function hangs(...pieces: string[]): Answer {
  return (response) => {
    if (pieces.length === 0) return;
    begin(response);
    for (const content of pieces) response.write(sse({ choices: [{ index: 0, delta: { content } }] }));
  };
}

function streams(choices: readonly { readonly delta: object }[], outputTokens: number, ending: Ending): Answer {
  return async (response) => {
    const { bytesAtATime = Number.POSITIVE_INFINITY } = ending;
    const finishReason = "finishReason" in ending ? ending.finishReason : "stop";
    begin(response);
    response.socket?.setNoDelay(true);
    const usage = { prompt_tokens: 10, completion_tokens: outputTokens, total_tokens: 10 + outputTokens };
    const events = [
      ...choices.map((choice) => sse({ choices: [{ index: 0, ...choice }] })),
      ...(finishReason ? [sse({ choices: [{ index: 0, delta: {}, finish_reason: finishReason }] })] : []),
      sse({ choices: [], usage }),
      "data: [DONE]\n\n",
    ];
    for (const bytes of events.map((event) => Buffer.from(event))) {
      for (let at = 0; at < bytes.length; at += bytesAtATime) {
        response.write(bytes.subarray(at, at + bytesAtATime));
        // The reader's turn: otherwise the pieces would come together again.
        if (bytesAtATime < bytes.length) await turn();
      }
    }
    response.end();
  };
}

function begin(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
}

function sse(chunk: object): string {
  const head = { id: "chat-1", object: "chat.completion.chunk", created: 1_767_225_600, model: "test-model" };
  return `data: ${JSON.stringify({ ...head, ...chunk })}\n\n`;
}

import type { Client, Transport } from "@modelcontextprotocol/client";
import { FlockError } from "../../core/errors.ts";
import { Redaction } from "../../core/redaction.ts";
import { VERSION } from "../../core/version.ts";
import { boundedFetch } from "./bounded-fetch.ts";
import type { CheckedOptions } from "./options.ts";

/** How much of what a program prints on standard error is kept, in characters, to tell why it has ended. */
const KEPT_ERRORS = 600;

/** How long a server that could not be reached is left alone: twice as long each time, so that it is not started in a circle. In ms. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;

type Sdk = typeof import("@modelcontextprotocol/client");

/** The connection to a server: made when it is wanted, and again when it was lost. */
export class Connection {
  readonly #options: CheckedOptions;
  #client: Promise<Client> | undefined;
  #closed = false;
  /** Attempts that failed, one after the other. */
  #failures = 0;
  #notBefore = 0;
  #lastFailure: FlockError | undefined;
  /** What the program printed last on standard error, and what the SDK could not read. */
  #lastWords = "";
  readonly #redaction = new Redaction();

  constructor(options: CheckedOptions) {
    this.#options = options;
  }

  /** What the program printed last, for an error message; empty for a server on the network. */
  get lastWords(): string {
    const words = this.#redaction.text(this.#lastWords.trim()).slice(-KEPT_ERRORS);
    return words === "" ? "" : `; its last words: ${words}`;
  }

  /**
   * The client, connected. All who want it at the same time share it.
   * @throws FlockError `tool_server_unavailable` or `missing_dependency`.
   */
  async client(): Promise<Client> {
    if (this.#closed) throw this.#unavailable("its connection has been closed: make a new one with mcpTools(…)");
    if (!this.#client && this.#lastFailure && Date.now() < this.#notBefore) throw this.#lastFailure;
    this.#client ??= this.#begin();
    return this.#client;
  }

  /** The connection is of no use any more: whoever wants one next makes another. */
  async lose(client: Client): Promise<void> {
    if ((await this.#client?.catch(() => undefined)) === client) this.#client = undefined;
    await client.close().catch(() => {});
  }

  /** Ends the connection for good, and the program with it. */
  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    await client?.close().catch(() => {});
  }

  async #begin(): Promise<Client> {
    try {
      const client = await this.#connect();
      this.#failures = 0;
      this.#lastFailure = undefined;
      return client;
    } catch (error) {
      this.#client = undefined;
      const failure = error instanceof FlockError ? error : this.#unavailable(this.#why(error), error);
      this.#lastFailure = failure;
      this.#notBefore = Date.now() + Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures);
      this.#failures += 1;
      throw failure;
    }
  }

  async #connect(): Promise<Client> {
    const sdk = await load(this.#options.name);
    try {
      return await this.#attempt(sdk, "command" in this.#options ? "legacy" : "auto");
    } catch (error) {
      // A program that knows only the newer protocol says so. Asking each of them first would start each of them twice.
      if (!("command" in this.#options) || !(error instanceof sdk.ProtocolError) || this.#closed) throw error;
      return this.#attempt(sdk, "auto");
    }
  }

  async #attempt(sdk: Sdk, mode: "legacy" | "auto"): Promise<Client> {
    const client = new sdk.Client({ name: "flock", version: VERSION }, { versionNegotiation: { mode } });
    this.#lastWords = "";
    const transport = await this.#transport(sdk);
    client.onerror = ({ message }) => this.#hear(`${message}\n`);
    client.onclose = () => void this.lose(client);
    try {
      await client.connect(transport, { timeout: this.#options.connectTimeout });
      if (this.#closed) throw this.#unavailable("its connection has been closed");
      return client;
    } catch (error) {
      client.onclose = () => {};
      await client.close().catch(() => {});
      throw error;
    }
  }

  async #transport({ StreamableHTTPClientTransport }: Sdk): Promise<Transport> {
    const options = this.#options;
    if ("url" in options) {
      return new StreamableHTTPClientTransport(new URL(options.url), {
        requestInit: { headers: options.headers },
        fetch: boundedFetch,
      });
    }
    const { StdioClientTransport, getDefaultEnvironment } = await import("@modelcontextprotocol/client/stdio");
    const { command, args, env, cwd } = options;
    const transport = new StdioClientTransport({
      command,
      args,
      env: { ...getDefaultEnvironment(), ...env },
      stderr: "pipe",
      ...(cwd === undefined ? {} : { cwd }),
    });
    transport.stderr?.on("data", (chunk: Buffer) => this.#hear(chunk.toString()));
    return transport;
  }

  #hear(words: string): void {
    this.#lastWords = (this.#lastWords + words).slice(-4 * KEPT_ERRORS);
  }

  #why(error: unknown): string {
    const options = this.#options;
    const { message, code, cause } = error as Error & { code?: string };
    if ("command" in options) {
      if (code === "ENOENT")
        return `there is no program ${JSON.stringify(options.command)}, or no folder ${options.cwd ?? process.cwd()}`;
      return `${JSON.stringify([options.command, ...options.args].join(" "))} does not answer as an MCP server: ${message}${this.lastWords}`;
    }
    const reason = cause instanceof Error && cause.message ? cause.message : message;
    return `it cannot be reached at ${options.url}: ${reason}`;
  }

  #unavailable(why: string, cause?: unknown): FlockError {
    return new FlockError("tool_server_unavailable", `MCP server ${this.#options.name}: ${why}`, { cause });
  }
}

async function load(server: string): Promise<Sdk> {
  try {
    return await import("@modelcontextprotocol/client");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new FlockError(
      "missing_dependency",
      `MCP server ${server} needs a package that is not installed: run \`npm install @modelcontextprotocol/client\``,
      { cause },
    );
  }
}

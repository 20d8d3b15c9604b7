import type { Client, Transport } from "@modelcontextprotocol/client";
import { FlockError } from "../../core/errors.ts";
import { Redaction } from "../../core/redaction.ts";
import { VERSION } from "../../core/version.ts";
import { boundedFetch } from "./bounded-fetch.ts";
import type { CheckedOptions } from "./options.ts";

/** Characters of a program's standard error that are kept for error messages. */
const KEPT_ERRORS = 600;

/** Delay before reconnecting to a server that could not be reached, in ms. Doubles each time, up to the maximum. */
const FIRST_DELAY = 500;
const MAX_DELAY = 30_000;

type Sdk = typeof import("@modelcontextprotocol/client");

/** The connection to a server: opened on demand, and reopened after it was lost. */
export class Connection {
  readonly #options: CheckedOptions;
  #client: Promise<Client> | undefined;
  #closed = false;
  /** Consecutive failed attempts. */
  #failures = 0;
  #notBefore = 0;
  #lastFailure: FlockError | undefined;
  /** The latest standard error of the program, and messages that the SDK could not parse. */
  #stderr = "";
  readonly #redaction = new Redaction();

  constructor(options: CheckedOptions) {
    this.#options = options;
  }

  /** The latest standard error of the program for an error message; empty for a server on the network. */
  get stderrSuffix(): string {
    const text = this.#redaction.text(this.#stderr.trim()).slice(-KEPT_ERRORS);
    return text === "" ? "" : `; standard error: ${text}`;
  }

  /**
   * Returns the connected client. Concurrent callers share it.
   * @throws FlockError `tool_server_unavailable` or `missing_dependency`.
   */
  async client(): Promise<Client> {
    if (this.#closed) throw this.#unavailable("its connection has been closed. Create a new one with `mcpTools(…)`.");
    if (!this.#client && this.#lastFailure && performance.now() < this.#notBefore) throw this.#lastFailure;
    this.#client ??= this.#open();
    return this.#client;
  }

  /** Drops a broken connection, so that the next caller opens a new one. */
  async drop(client: Client): Promise<void> {
    if ((await this.#client?.catch(() => undefined)) === client) this.#client = undefined;
    await client.close().catch(() => {});
  }

  /** Closes the connection permanently and ends the program. */
  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    await client?.close().catch(() => {});
  }

  async #open(): Promise<Client> {
    try {
      const client = await this.#connect();
      this.#failures = 0;
      this.#lastFailure = undefined;
      return client;
    } catch (error) {
      this.#client = undefined;
      const failure = error instanceof FlockError ? error : this.#unavailable(this.#why(error), error);
      this.#lastFailure = failure;
      this.#notBefore = performance.now() + Math.min(MAX_DELAY, FIRST_DELAY * 2 ** this.#failures);
      this.#failures += 1;
      throw failure;
    }
  }

  async #connect(): Promise<Client> {
    const sdk = await load(this.#options.name);
    try {
      return await this.#attempt(sdk, "command" in this.#options ? "legacy" : "auto");
    } catch (error) {
      // A program that only supports the newer protocol reports that. Probing first would start each program twice.
      if (!("command" in this.#options) || !(error instanceof sdk.ProtocolError) || this.#closed) throw error;
      return this.#attempt(sdk, "auto");
    }
  }

  async #attempt(sdk: Sdk, mode: "legacy" | "auto"): Promise<Client> {
    const client = new sdk.Client({ name: "flock", version: VERSION }, { versionNegotiation: { mode } });
    this.#stderr = "";
    const transport = await this.#transport(sdk);
    client.onerror = ({ message }) => this.#keep(`${message}\n`);
    client.onclose = () => void this.drop(client);
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
    transport.stderr?.on("data", (chunk: Buffer) => this.#keep(chunk.toString()));
    return transport;
  }

  #keep(text: string): void {
    this.#stderr = (this.#stderr + text).slice(-4 * KEPT_ERRORS);
  }

  #why(error: unknown): string {
    const options = this.#options;
    const { message, code, cause } = error as Error & { code?: string };
    if ("command" in options) {
      if (code === "ENOENT")
        return `no program \`${options.command}\`, or no directory \`${options.cwd ?? process.cwd()}\``;
      return `\`${[options.command, ...options.args].join(" ")}\` does not respond like an MCP server: ${message}${this.stderrSuffix}`;
    }
    const reason = cause instanceof Error && cause.message ? cause.message : message;
    return `\`${options.url}\` cannot be reached: ${reason}`;
  }

  #unavailable(why: string, cause?: unknown): FlockError {
    return new FlockError("tool_server_unavailable", `MCP server \`${this.#options.name}\` is unavailable: ${why}`, {
      cause,
    });
  }
}

async function load(server: string): Promise<Sdk> {
  try {
    return await import("@modelcontextprotocol/client");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new FlockError(
      "missing_dependency",
      `MCP server \`${server}\` cannot be used: a package is not installed. Run \`npm install @modelcontextprotocol/client\`.`,
      { cause },
    );
  }
}

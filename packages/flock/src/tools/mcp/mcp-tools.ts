import type { Client, Tool } from "@modelcontextprotocol/client";
import type { RunContext } from "../../agents/run-context.ts";
import type { OfferedTool, ToolSource } from "../../agents/tools.ts";
import { checkOptions, FlockError } from "../../core/errors.ts";
import { Connection } from "./connection.ts";
import { type CheckedOptions, type McpOptions, schemaFor } from "./options.ts";
import { answerOf, type McpResult, resultOf } from "./result.ts";
import { toolNames } from "./tool-names.ts";

/** Options of a tool call. */
export interface McpCallOptions {
  /** Cancels the call and notifies the server. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Time limit of this call, in ms. Default: the server's `callTimeout`. */
  readonly timeout?: number | undefined;
}

/** Longest tool description and failure text for a model, in characters: both come from an untrusted server. */
const MAX_DESCRIPTION = 8_000;
const MAX_FAILURE = 4_000;

/**
 * Creates a tool source for an MCP server, for `.tools(…)` of an agent and for calls in functions.
 * It connects on first use and reconnects after the connection was lost. `close` ends it; with `flock.use`, it ends
 * with the flock.
 * @throws FlockError `invalid_options`, naming each invalid option.
 *
 * @example
 * const files = flock.use(mcpTools({ name: "files", command: "my-mcp-server", args: ["/data"], allow: ["read_file"] }));
 * flock.agent("librarian").consumes(Question).publishes(Answer).tools(files);
 */
export function mcpTools(options: McpOptions): McpTools {
  return new McpTools(checkOptions("mcpTools", schemaFor(options), options));
}

/** The tools of one MCP server; see {@link mcpTools}. */
export class McpTools implements ToolSource, AsyncDisposable {
  /** The server's name. */
  readonly name: string;
  readonly #options: CheckedOptions;
  readonly #connection: Connection;

  /** Used only by `mcpTools`. */
  constructor(options: CheckedOptions) {
    this.name = options.name;
    this.#options = options;
    this.#connection = new Connection(options);
  }

  /**
   * Returns the server's current tools that are allowed, as the server describes them.
   * @throws FlockError `tool_server_unavailable` or `missing_dependency`.
   */
  async list({ signal }: Pick<McpCallOptions, "signal"> = {}): Promise<readonly Tool[]> {
    const tools = await this.#request(signal, undefined, (client) => this.#toolsOf(client, signal));
    return tools.filter(({ name }) => this.#allows(name));
  }

  /**
   * Calls a tool by the server's name for it.
   * @throws FlockError `tool_not_allowed` or `tool_unknown`.
   * @throws FlockError `tool_failed` when the tool reports an error or times out.
   * @throws FlockError `tool_server_unavailable` when the server cannot be reached or the connection is lost.
   * @throws the signal's reason when it aborts.
   *
   * @example
   * const { text } = await files.call("read_file", { path: "a.txt" }, { signal: context.signal });
   */
  async call(
    tool: string,
    input: Readonly<Record<string, unknown>> = {},
    { signal, timeout = this.#options.callTimeout }: McpCallOptions = {},
  ): Promise<McpResult> {
    if (!this.#allows(tool)) {
      throw new FlockError(
        "tool_not_allowed",
        `Tool \`${tool}\` of MCP server \`${this.name}\` was not called: it is not allowed. Add it to \`allow\`.`,
      );
    }
    const answer = await this.#request(signal, tool, (client) =>
      client.callTool({ name: tool, arguments: { ...input } }, { timeout, ...(signal ? { signal } : {}) }),
    );
    const result = resultOf(answer);
    if (answer.isError) throw this.#failed(tool, result.text.slice(0, MAX_FAILURE) || "no reason given");
    return result;
  }

  /** Returns the tools for an agent's model. Called once per run, so renamed tools appear under their new names. */
  async offer({ signal, agent, log }: RunContext): Promise<readonly OfferedTool[]> {
    const { allow, needsApproval, maxResultCharacters, images } = this.#options;
    const tools = await this.list({ signal });
    const missing = allow === "*" ? [] : allow.filter((name) => tools.every((tool) => tool.name !== name));
    if (missing.length > 0) log.warn({ agent, server: this.name, missing }, "allowed tools were missing on MCP server");
    const names = toolNames(
      this.name,
      tools.map(({ name }) => name),
    );
    return tools.map(({ name, title, description = title ?? "", inputSchema }, index) => ({
      name: names[index] as string,
      description: description.slice(0, MAX_DESCRIPTION),
      inputSchema,
      needsApproval: needsApproval === "*" || needsApproval.includes(name),
      maxResultCharacters,
      call: async (input, signal) => {
        const result = await this.call(name, input as Record<string, unknown>, { signal });
        return answerOf(result, images);
      },
    }));
  }

  /**
   * Closes the connection and ends the server's program, if it is one. Pending calls fail with
   * `tool_server_unavailable`. Idempotent.
   */
  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Closes the connection at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #allows(tool: string): boolean {
    const { allow } = this.#options;
    return allow === "*" || allow.includes(tool);
  }

  async #toolsOf(client: Client, signal: AbortSignal | undefined): Promise<readonly Tool[]> {
    const timeout = this.#options.connectTimeout;
    return (await client.listTools(undefined, { cacheMode: "refresh", timeout, ...(signal ? { signal } : {}) })).tools;
  }

  /** Sends a request, over a new connection if the old one was lost, and converts failures to Flock errors. */
  async #request<T>(
    signal: AbortSignal | undefined,
    tool: string | undefined,
    send: (client: Client) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      const client = await unlessAborted(this.#connection.client(), signal);
      try {
        return await send(client);
      } catch (error) {
        signal?.throwIfAborted();
        const kind = await kindOf(error);
        if (kind === "rejected") throw await this.#rejected(client, tool, error);
        if (kind === "timeout") throw this.#failed(tool, "it timed out. Raise `callTimeout` or request less.");
        await this.#connection.drop(client);
        // A server that lost the session has not processed the request.
        if (kind === "no_session" && attempt === 1) continue;
        throw this.#lost(tool, error);
      }
    }
  }

  async #rejected(client: Client, tool: string | undefined, error: unknown): Promise<FlockError> {
    const { message } = error as Error;
    const available = await this.#toolsOf(client, undefined).catch(() => undefined);
    if (tool === undefined || !available || available.some(({ name }) => name === tool))
      return this.#failed(tool, message, error);
    const names = available.map(({ name }) => name).filter((name) => this.#allows(name));
    return new FlockError(
      "tool_unknown",
      `Tool \`${tool}\` was not called: MCP server \`${this.name}\` does not have it. Available and allowed: ${names.join(", ") || "none"}.`,
      { cause: error },
    );
  }

  #failed(tool: string | undefined, why: string, cause?: unknown): FlockError {
    return new FlockError(
      "tool_failed",
      `${tool === undefined ? "The tool list" : `Tool \`${tool}\``} of MCP server \`${this.name}\` failed: ${why}`,
      {
        cause,
      },
    );
  }

  #lost(tool: string | undefined, cause: unknown): FlockError {
    const { message, cause: reason } = cause as Error;
    const why = reason instanceof Error && reason.message ? reason.message : message;
    const during = tool === undefined ? "" : ` during \`${tool}\`, which may or may not have completed`;
    return new FlockError(
      "tool_server_unavailable",
      `MCP server \`${this.name}\` is unavailable: the connection was lost${during}: ${why}${this.#connection.stderrSuffix}`,
      { cause },
    );
  }
}

/**
 * Classifies a failed request: the server `rejected` it, it timed out, it was not processed because the server has
 * `no_session` for us, or the connection is `lost`.
 */
async function kindOf(error: unknown): Promise<"rejected" | "timeout" | "no_session" | "lost"> {
  const { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } = await import("@modelcontextprotocol/client");
  if (error instanceof SdkHttpError) {
    if (error.status === 404) return "no_session";
    return error.status >= 400 && error.status < 500 ? "rejected" : "lost";
  }
  if (error instanceof ProtocolError) return "rejected";
  if (!(error instanceof SdkError)) return "lost";
  switch (error.code) {
    case SdkErrorCode.RequestTimeout:
      return "timeout";
    case SdkErrorCode.NotConnected:
      return "no_session";
    case SdkErrorCode.ConnectionClosed:
    case SdkErrorCode.SendFailed:
      return "lost";
    default:
      return "rejected";
  }
}

/** Waits for a promise unless the signal aborts. The promise itself continues for other callers. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
    aborted.catch(() => {});
  }
}

import type { Client, Tool } from "@modelcontextprotocol/client";
import type { RunContext } from "../../agents/run-context.ts";
import type { OfferedTool, ToolSource } from "../../agents/tools.ts";
import { checkOptions, FlockError } from "../../core/errors.ts";
import { Connection } from "./connection.ts";
import { type CheckedOptions, type McpOptions, schemaFor } from "./options.ts";
import { answerOf, type McpResult, resultOf } from "./result.ts";
import { toolNames } from "./tool-names.ts";

/** What goes with a call. */
export interface McpCallOptions {
  /** Gives the call up, and tells the server so. */
  readonly signal?: AbortSignal | undefined;
  /** Longest that this call may take; ms. Default: the server's `callTimeout`. */
  readonly timeout?: number | undefined;
}

/** Longest description that a model is told, and longest failure, in characters: both are a stranger's words. */
const MAX_DESCRIPTION = 8_000;
const MAX_FAILURE = 4_000;

/**
 * The tools of an MCP server, for `.tools(…)` of an agent, and for functions. It connects when a tool is wanted for the
 * first time, and again when the connection was lost. `close` ends it; `flock.use` does so with the flock.
 *
 * @throws FlockError `invalid_options`, naming each wrong option.
 *
 * @example
 * const files = flock.use(mcpTools({ name: "files", command: "my-mcp-server", args: ["/data"], allow: ["read_file"] }));
 * flock.agent("librarian").consumes(Question).publishes(Answer).tools(files);
 */
export function mcpTools(options: McpOptions): McpTools {
  return new McpTools(checkOptions("mcpTools", schemaFor(options), options));
}

/** The tools of one MCP server: see {@link mcpTools}. */
export class McpTools implements ToolSource, AsyncDisposable {
  /** The server's name. */
  readonly name: string;
  readonly #options: CheckedOptions;
  readonly #connection: Connection;

  /** For `mcpTools` only. */
  constructor(options: CheckedOptions) {
    this.name = options.name;
    this.#options = options;
    this.#connection = new Connection(options);
  }

  /**
   * The tools that the server has now and that may be called, as it describes them.
   * @throws FlockError `tool_server_unavailable` or `missing_dependency`.
   */
  async list({ signal }: Pick<McpCallOptions, "signal"> = {}): Promise<readonly Tool[]> {
    const tools = await this.#ask(signal, undefined, (client) => this.#toolsOf(client, signal));
    return tools.filter(({ name }) => this.#allows(name));
  }

  /**
   * Calls a tool by the server's own name for it, for functions.
   * @throws FlockError `tool_not_allowed`, `tool_unknown`, `tool_failed` when the tool says so or does not answer in time,
   * `tool_server_unavailable` when the server is not there or ends in the middle; and the signal's reason.
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
        `MCP server ${this.name}: ${tool} may not be called: name it in \`allow\` if it should be`,
      );
    }
    const answer = await this.#ask(signal, tool, (client) =>
      client.callTool({ name: tool, arguments: { ...input } }, { timeout, ...(signal ? { signal } : {}) }),
    );
    const result = resultOf(answer);
    if (answer.isError) throw this.#failed(tool, result.text.slice(0, MAX_FAILURE) || "it does not say why");
    return result;
  }

  /** For agents: what their models may call. Asked once in each run, so that a tool that was renamed has its new name. */
  async offer({ signal, agent, log }: RunContext): Promise<readonly OfferedTool[]> {
    const { allow, maxResultCharacters, images } = this.#options;
    const tools = await this.list({ signal });
    const missing = allow === "*" ? [] : allow.filter((name) => tools.every((tool) => tool.name !== name));
    if (missing.length > 0)
      log.warn({ agent, server: this.name, missing }, "an MCP server lacks tools that are allowed");
    const names = toolNames(
      this.name,
      tools.map(({ name }) => name),
    );
    return tools.map(({ name, title, description = title ?? "", inputSchema }, index) => ({
      name: names[index] as string,
      description: description.slice(0, MAX_DESCRIPTION),
      inputSchema,
      call: async (input, signal) => {
        const result = await this.call(name, input as Record<string, unknown>, { signal });
        return answerOf(result, maxResultCharacters, images);
      },
    }));
  }

  /** Ends the connection, and the program if it is one. Calls that go on end as `tool_server_unavailable`. May be called again. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  /** Ends like `close`, at the end of an `await using`. */
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

  /** Asks the server, over a new connection if the old one is lost, and says in our words what went wrong. */
  async #ask<T>(
    signal: AbortSignal | undefined,
    tool: string | undefined,
    ask: (client: Client) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted();
      const client = await unlessAborted(this.#connection.client(), signal);
      try {
        return await ask(client);
      } catch (error) {
        signal?.throwIfAborted();
        const kind = await kindOf(error);
        if (kind === "refused") throw await this.#refused(client, tool, error);
        if (kind === "timeout")
          throw this.#failed(tool, "it did not answer in time: allow it more (`callTimeout`), or ask for less");
        await this.#connection.lose(client);
        // A server that has forgotten the session has done nothing of what it was asked.
        if (kind === "forgotten" && attempt === 1) continue;
        throw this.#lost(tool, error);
      }
    }
  }

  async #refused(client: Client, tool: string | undefined, error: unknown): Promise<FlockError> {
    const { message } = error as Error;
    const there = await this.#toolsOf(client, undefined).catch(() => undefined);
    if (tool === undefined || !there || there.some(({ name }) => name === tool))
      return this.#failed(tool, message, error);
    const names = there.map(({ name }) => name).filter((name) => this.#allows(name));
    return new FlockError(
      "tool_unknown",
      `MCP server ${this.name} has no tool ${tool}; of those that are allowed it has ${names.join(", ") || "none"}`,
      { cause: error },
    );
  }

  #failed(tool: string | undefined, why: string, cause?: unknown): FlockError {
    return new FlockError("tool_failed", `MCP server ${this.name}: ${tool ?? "its list of tools"} failed: ${why}`, {
      cause,
    });
  }

  #lost(tool: string | undefined, cause: unknown): FlockError {
    const { message, cause: reason } = cause as Error;
    const why = reason instanceof Error && reason.message ? reason.message : message;
    const during = tool === undefined ? "" : ` during ${tool}, which may have done its work or not`;
    return new FlockError(
      "tool_server_unavailable",
      `MCP server ${this.name}: the connection was lost${during}: ${why}${this.#connection.lastWords}`,
      { cause },
    );
  }
}

/**
 * What a failure means: the server has `refused`, has taken too long, has done nothing because it has `forgotten`
 * who we are, or is `lost`.
 */
async function kindOf(error: unknown): Promise<"refused" | "timeout" | "forgotten" | "lost"> {
  const { ProtocolError, SdkError, SdkErrorCode, SdkHttpError } = await import("@modelcontextprotocol/client");
  if (error instanceof SdkHttpError) {
    if (error.status === 404) return "forgotten";
    return error.status >= 400 && error.status < 500 ? "refused" : "lost";
  }
  if (error instanceof ProtocolError) return "refused";
  if (!(error instanceof SdkError)) return "lost";
  switch (error.code) {
    case SdkErrorCode.RequestTimeout:
      return "timeout";
    case SdkErrorCode.NotConnected:
      return "forgotten";
    case SdkErrorCode.ConnectionClosed:
    case SdkErrorCode.SendFailed:
      return "lost";
    default:
      return "refused";
  }
}

/** Waits no longer than the signal allows; what is waited for goes on, for others. */
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

import { z } from "zod";

interface SharedOptions {
  /**
   * Name of the server in errors and tool names: letters, digits and `-`, at most 32 characters. Models call the tool
   * `read` of `files` as `files_read`.
   */
  readonly name: string;
  /**
   * Server names of the tools that may be called. Other tools, including those that the server adds later, are neither
   * offered nor callable. `"*"` allows all current and future tools; use it only for servers you trust.
   */
  readonly allow: readonly string[] | "*";
  /** Time limit for connecting, including the start of the program, in ms. Default: 30,000. */
  readonly connectTimeout?: number;
  /** Time limit of a call, in ms. Default: 60,000. */
  readonly callTimeout?: number;
  /** Server names of the tools whose calls a person must approve, or `"*"` for all. Default: none. */
  readonly needsApproval?: readonly string[] | "*";
  /**
   * Longest result for a model, in characters; longer results are truncated. Functions receive the full result.
   * Default: 50,000.
   */
  readonly maxResultCharacters?: number;
  /**
   * Whether models receive images in results; not every provider accepts them. Default: false, which sends a text note
   * instead.
   */
  readonly images?: boolean;
}

/** A server that is a local program, connected through standard input and output. */
export interface McpStdioOptions extends SharedOptions {
  readonly command: string;
  /** Arguments of the program. Default: none. */
  readonly args?: readonly string[];
  /**
   * Environment variables in addition to HOME, LOGNAME, PATH, SHELL, TERM and USER, or their Windows equivalents. No
   * other variables are passed on. Default: none.
   */
  readonly env?: Readonly<Record<string, string>>;
  /** Working directory. Default: that of this process. */
  readonly cwd?: string;
}

/** A server on the network (Streamable HTTP). */
export interface McpHttpOptions extends SharedOptions {
  readonly url: string;
  /** Headers of each request, such as `Authorization`. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An MCP server and its allowed tools. */
export type McpOptions = McpStdioOptions | McpHttpOptions;

const shared = {
  name: z.string().regex(/^[A-Za-z0-9-]{1,32}$/, "must be letters, digits and `-`, at most 32 characters"),
  allow: z.union([z.literal("*"), z.array(z.string().min(1))], {
    error: 'must be a list of tool names, or `"*"` for all tools',
  }),
  connectTimeout: z.int().min(1).default(30_000),
  callTimeout: z.int().min(1).default(60_000),
  needsApproval: z
    .union([z.literal("*"), z.array(z.string().min(1))], {
      error: 'must be a list of tool names, or `"*"` for all tools',
    })
    .default([]),
  maxResultCharacters: z.int().min(1).default(50_000),
  images: z.boolean().default(false),
};

const texts = z.record(z.string(), z.string()).default({});

const stdioSchema = z.strictObject({
  ...shared,
  command: z.string().min(1),
  args: z.array(z.string()).default([]),
  env: texts,
  cwd: z.string().min(1).optional(),
});

const httpSchema = z.strictObject({
  ...shared,
  url: z.url({ protocol: /^https?$/, error: "must be a URL such as `https://example.com/mcp`" }),
  headers: texts,
});

/** Validated options with defaults. */
export type CheckedOptions = z.output<typeof stdioSchema> | z.output<typeof httpSchema>;

/** Returns the schema for a program or for a URL. */
export function schemaFor(options: unknown): z.ZodType<CheckedOptions> {
  const { url } = (options ?? {}) as Partial<McpHttpOptions>;
  return url === undefined ? stdioSchema : httpSchema;
}

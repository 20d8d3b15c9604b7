import { z } from "zod";

interface SharedOptions {
  /** What errors and tools call the server: letters, digits and `-`, 32 at most. The tool `read` of `files` is `files_read` for models. */
  readonly name: string;
  /**
   * The server's own names of the tools that may be called. No other is offered to a model or can be called, whatever the
   * server adds later. `"*"` allows every tool, also those to come: for servers of your own.
   */
  readonly allow: readonly string[] | "*";
  /** Longest that connecting may take, with the start of the program; ms. Default 30,000. */
  readonly connectTimeout?: number;
  /** Longest that a call may take; ms. Default 60,000. */
  readonly callTimeout?: number;
  /** A longer answer is cut before a model reads it; characters. Functions get all of it. Default 50,000. */
  readonly maxResultCharacters?: number;
  /** Whether models are shown the images in answers. Not every provider takes them. Default false: they are only told of them. */
  readonly images?: boolean;
}

/** A server that is a program, spoken to through its standard input and output. */
export interface McpStdioOptions extends SharedOptions {
  readonly command: string;
  readonly args?: readonly string[];
  /** Beside HOME, LOGNAME, PATH, SHELL, TERM and USER (on Windows their like). No other variable of this process is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where it runs. Default: where this process does. */
  readonly cwd?: string;
}

/** A server on the network: Streamable HTTP. */
export interface McpHttpOptions extends SharedOptions {
  readonly url: string;
  /** Sent with each request, such as `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server with tools, and which of them may be called. */
export type McpOptions = McpStdioOptions | McpHttpOptions;

const shared = {
  name: z.string().regex(/^[A-Za-z0-9-]{1,32}$/, "must be letters, digits and -, 32 at most"),
  allow: z.union([z.literal("*"), z.array(z.string().min(1))], {
    error: 'must list the tools that may be called, or be "*" for all of them',
  }),
  connectTimeout: z.int().min(1).default(30_000),
  callTimeout: z.int().min(1).default(60_000),
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
  url: z.url({ protocol: /^https?$/, error: "must be an address such as https://example.com/mcp" }),
  headers: texts,
});

/** Options as they were checked, with their defaults. */
export type CheckedOptions = z.output<typeof stdioSchema> | z.output<typeof httpSchema>;

/** The schema that fits what somebody wants: a program, or an address. */
export function schemaFor(options: unknown): z.ZodType<CheckedOptions> {
  const { url } = (options ?? {}) as Partial<McpHttpOptions>;
  return url === undefined ? stdioSchema : httpSchema;
}

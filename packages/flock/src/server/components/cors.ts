import cors from "@fastify/cors";
import { z } from "zod";
import { checkOptions, FlockError } from "../../core/errors.ts";
import { ServerComponent, type ServerContext } from "../server-component.ts";

/** What a {@link CORSComponent} can be told. */
export interface CORSConfig {
  /** Origins that may use the server, such as `http://localhost:3000`; `*` for any. Default none. */
  readonly allowOrigins?: readonly string[];
  /** Origins that match this as a whole may, too: a pattern or its source. */
  readonly allowOriginRegex?: RegExp | string;
  /** Whether browsers may send cookies and authorization. Not with `*`. Default false. */
  readonly allowCredentials?: boolean;
  /** Request headers that pages may set; `*` for any that they ask for. Default: those that need no permission. */
  readonly allowHeaders?: readonly string[];
  /** Default `["GET", "HEAD", "POST"]`; `*` for all. */
  readonly allowMethods?: readonly string[];
  /** Response headers that pages may read beside the usual ones. Default none. */
  readonly exposeHeaders?: readonly string[];
  /** How long browsers may remember a permission, in seconds. Default 600. */
  readonly maxAge?: number;
  /** Lower registers first. Default 1: before what it concerns. */
  readonly priority?: number;
}

const pattern = z.union([z.instanceof(RegExp), z.string()]).transform((value, context) => {
  try {
    // As a whole: `example\.com` must not let `example.com.evil.org` in.
    const { source, flags } = value instanceof RegExp ? value : { source: value, flags: "" };
    return new RegExp(`^(?:${source})$`, flags.replace(/[gy]/g, ""));
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
    return z.NEVER;
  }
});

const origin = z.string().refine((value) => value === "*" || isOrigin(value), {
  error: ({ input }) => `${JSON.stringify(input)} is no origin: write scheme://host[:port] and nothing behind it`,
});

const configSchema = z.strictObject({
  allowOrigins: z.array(origin).default([]),
  allowOriginRegex: pattern.optional(),
  allowCredentials: z.boolean().default(false),
  allowHeaders: z.array(z.string().min(1)).default([]),
  allowMethods: z.array(z.string().min(1)).default(["GET", "HEAD", "POST"]),
  exposeHeaders: z.array(z.string().min(1)).default([]),
  maxAge: z.int().min(0).default(600),
  priority: z.number().default(1),
});

const ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/** Says which web pages of other origins may use the server, by HTTP and by WebSocket. */
export class CORSComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string = "cors";

  /** @throws FlockError `invalid_options`, naming each wrong option. */
  constructor(config: CORSConfig = {}) {
    super(checkOptions("new CORSComponent", configSchema, config));
    if (this.config.allowCredentials && this.config.allowOrigins.includes("*")) {
      throw new FlockError(
        "invalid_options",
        'new CORSComponent: allowOrigins "*" with allowCredentials would let any page act with the cookies of whoever looks at it, and browsers refuse it: name the origins, or use allowOriginRegex',
      );
    }
  }

  /** Whether pages of this origin may use the server. */
  isOriginAllowed(origin: string): boolean {
    const { allowOrigins, allowOriginRegex } = this.config;
    return allowOrigins.includes("*") || allowOrigins.includes(origin) || (allowOriginRegex?.test(origin) ?? false);
  }

  override async configure({ app }: ServerContext): Promise<void> {
    const { allowOrigins, allowCredentials, allowHeaders, allowMethods, exposeHeaders, maxAge } = this.config;
    await app.register(cors, {
      origin: allowOrigins.includes("*")
        ? "*"
        : (origin, decide) => decide(null, origin !== undefined && this.isOriginAllowed(origin) ? origin : false),
      credentials: allowCredentials,
      methods: allowMethods.includes("*") ? ALL_METHODS : [...allowMethods],
      // Undefined mirrors what the page asks for; `*` itself does not cover credentials.
      ...(allowHeaders.includes("*") ? {} : { allowedHeaders: [...allowHeaders] }),
      exposedHeaders: [...exposeHeaders],
      maxAge,
      strictPreflight: false,
    });
  }
}

function isOrigin(value: string): boolean {
  return URL.canParse(value) && /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+$/i.test(value);
}

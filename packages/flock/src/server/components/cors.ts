import cors from "@fastify/cors";
import { z } from "zod";
import { checkOptions, FlockError } from "../../core/errors.ts";
import { ServerComponent, type ServerContext } from "../server-component.ts";

/** The options of {@link CORSComponent}. */
export interface CORSConfig {
  /**
   * Origins that may use the server, such as `http://localhost:3000`; `*` allows any. Case, a default port and a slash at
   * the end do not matter. Default: none.
   */
  readonly allowOrigins?: readonly string[];
  /** A pattern, or its source, for further origins. It must match the whole origin. */
  readonly allowOriginRegex?: RegExp | string;
  /** Whether browsers may send cookies and authorization. Not allowed with `*`. Default false. */
  readonly allowCredentials?: boolean;
  /** Request headers that pages may set; `*` allows any. Default: only the headers that CORS always allows. */
  readonly allowHeaders?: readonly string[];
  /** Methods that pages may use; `*` allows all. Default `["GET", "HEAD", "POST"]`. */
  readonly allowMethods?: readonly string[];
  /** Response headers that pages may read, besides those that CORS always allows. Default: none. */
  readonly exposeHeaders?: readonly string[];
  /** How long browsers may cache the result of a preflight request, in seconds. Default 600. */
  readonly maxAge?: number;
  /** Lower registers first. Default 1: before the routes it applies to. */
  readonly priority?: number;
}

const pattern = z.union([z.instanceof(RegExp), z.string()]).transform((value, context) => {
  try {
    // The whole origin must match: `example\.com` must not allow `example.com.evil.org`.
    const { source, flags } = value instanceof RegExp ? value : { source: value, flags: "" };
    return new RegExp(`^(?:${source})$`, flags.replace(/[gy]/g, ""));
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
    return z.NEVER;
  }
});

const origin = z.string().transform((value, context) => {
  const normalized = value === "*" ? value : originOf(value);
  if (normalized !== undefined) return normalized;
  context.addIssue(`${JSON.stringify(value)} is not an origin: use scheme://host[:port], without a path`);
  return z.NEVER;
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

/** Allows web pages of other origins to use the server over HTTP and WebSocket. */
export class CORSComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string = "cors";

  /** @throws FlockError `invalid_options`, which names each invalid option. */
  constructor(config: CORSConfig = {}) {
    super(checkOptions("new CORSComponent", configSchema, config));
    if (this.config.allowCredentials && this.config.allowOrigins.includes("*")) {
      throw new FlockError(
        "invalid_options",
        'new CORSComponent: `allowOrigins: ["*"]` cannot be combined with `allowCredentials`: any page could act with the cookies of its visitors. List the origins, or use `allowOriginRegex`.',
      );
    }
  }

  /** Whether pages of this origin may use the server. */
  isOriginAllowed(origin: string): boolean {
    const { allowOrigins, allowOriginRegex } = this.config;
    const normalized = originOf(origin) ?? origin;
    return (
      allowOrigins.includes("*") || allowOrigins.includes(normalized) || (allowOriginRegex?.test(normalized) ?? false)
    );
  }

  override async configure({ app, origins }: ServerContext): Promise<void> {
    origins.allow((origin) => this.isOriginAllowed(origin));
    const { allowOrigins, allowCredentials, allowHeaders, allowMethods, exposeHeaders, maxAge } = this.config;
    await app.register(cors, {
      origin: allowOrigins.includes("*")
        ? "*"
        : (origin, decide) => decide(null, origin !== undefined && this.isOriginAllowed(origin) ? origin : false),
      credentials: allowCredentials,
      methods: allowMethods.includes("*") ? ALL_METHODS : [...allowMethods],
      // Without a list, the plugin allows the headers that the page requests. A literal `*` does not apply to requests with credentials.
      ...(allowHeaders.includes("*") ? {} : { allowedHeaders: [...allowHeaders] }),
      exposedHeaders: [...exposeHeaders],
      maxAge,
      strictPreflight: false,
    });
  }
}

/**
 * Returns an origin as browsers send it: in lower case, without a default port and without the slash at its end. Undefined
 * when it is no origin.
 */
function originOf(value: string): string | undefined {
  if (!URL.canParse(value) || !/^[a-z][a-z0-9+.-]*:\/\/[^/?#@]+\/?$/i.test(value)) return undefined;
  const { origin, protocol, host } = new URL(value);
  // The origin of schemes other than those of the web, such as `capacitor:`, is "null" here, but browsers send it.
  return origin === "null" ? `${protocol}//${host.toLowerCase()}` : origin;
}

import { statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { checkOptions, FlockError } from "../../core/errors.ts";
import { basePath, joinPath, prefixSchema } from "../http/path.ts";
import { OPEN } from "../security/identity.ts";
import { ServerComponent, type ServerContext } from "../server-component.ts";

/** What a {@link StaticFilesServerComponent} can be told. */
export interface StaticFilesConfig {
  /** The folder to serve; relative to the working directory. Default: the dashboard. */
  readonly folder?: string;
  /** Where its files are. Default `/`. */
  readonly prefix?: string;
  /** Whether paths that no file has show `index.html`, for pages that route by themselves. Default true. */
  readonly spaFallback?: boolean;
  /** Its name, for a server with several. Default `static-files`. */
  readonly name?: string;
  /** Lower registers first. Default 99. Whatever it is, no other component's route is shadowed. */
  readonly priority?: number;
}

/** Where the build puts the dashboard: beside `src/` here, and beside `lib/` in the published package. */
const DASHBOARD = fileURLToPath(new URL("../../../dashboard/", import.meta.url));

const configSchema = z.strictObject({
  folder: z.string().min(1).default(DASHBOARD),
  prefix: prefixSchema.default("/"),
  spaFallback: z.boolean().default(true),
  name: z.string().min(1).default("static-files"),
  priority: z.number().default(99),
});

/** What build tools name by its content: it never changes. */
const NAMED_BY_CONTENT = /[-.][\w-]{8,}\.\w+$/;
const FOREVER = "public, max-age=31536000, immutable";
const ASK_EACH_TIME = "no-cache";

/**
 * Serves a folder: the dashboard, or a page of the user's. Where `app.js.br` or `app.js.gz` lies beside `app.js`, whoever
 * accepts that encoding is sent it instead.
 */
export class StaticFilesServerComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string;
  readonly #folder: string;

  /** @throws FlockError `invalid_options`, naming each wrong option; also when there is no such folder. */
  constructor(config: StaticFilesConfig = {}) {
    super(checkOptions("new StaticFilesServerComponent", configSchema, config));
    this.name = this.config.name;
    this.#folder = resolve(this.config.folder);
    if (!statSync(this.#folder, { throwIfNoEntry: false })?.isDirectory()) {
      const todo =
        this.config.folder === DASHBOARD
          ? "the dashboard is not built: run `npm run build` in Flock's folder"
          : `there is no folder ${this.#folder}`;
      throw new FlockError("invalid_options", `new StaticFilesServerComponent: folder: ${todo}`);
    }
  }

  override async registerRoutes({ app, components }: ServerContext): Promise<void> {
    const base = basePath(this.config.prefix);
    const taken = [...components.values()]
      .filter((other) => !(other instanceof StaticFilesServerComponent))
      .map((other) => basePath(other.config.prefix ?? "/"))
      .filter((prefix) => prefix !== "" && prefix.startsWith(base));
    await app.register(async (scope) => {
      await scope.register(fastifyStatic, {
        root: this.#folder,
        serve: false,
        cacheControl: false,
        preCompressed: true,
      });
      const handler = (request: FastifyRequest, reply: FastifyReply) =>
        this.#serve(request, reply, (path) => taken.some((prefix) => path === prefix || path.startsWith(`${prefix}/`)));
      // The router prefers every other route to a wildcard, whichever was there first.
      for (const url of base === "" ? ["/", "/*"] : [base, `${base}/*`]) {
        scope.route({ method: ["GET", "HEAD"], url, ...OPEN, schema: { hide: true }, handler });
      }
    });
  }

  async #serve(request: FastifyRequest, reply: FastifyReply, isTaken: (path: string) => boolean): Promise<unknown> {
    const wanted = (request.params as { "*"?: string })["*"] ?? "";
    const segments = wanted.split("/").filter((segment) => segment !== "");
    // Neither out of the folder nor into what is hidden; a backslash separates only on Windows, a NUL never belongs.
    const isForbidden = segments.some((segment) => segment.startsWith(".") || /[\\\0]/.test(segment));
    const file = isForbidden ? undefined : await this.#find(segments);
    if (file !== undefined) {
      const cache = NAMED_BY_CONTENT.test(file) ? FOREVER : ASK_EACH_TIME;
      return reply.header("cache-control", cache).sendFile(file);
    }
    const path = request.url.split("?")[0] as string;
    const wantsPage = request.headers.accept?.includes("text/html") ?? false;
    const isPage = this.config.spaFallback && wantsPage && !isForbidden && !isTaken(joinPath(path));
    if (isPage && (await this.#find([]))) {
      return reply.header("cache-control", ASK_EACH_TIME).sendFile("index.html");
    }
    throw new FlockError("not_found", `there is no ${request.method} ${path} here`);
  }

  /** The file at a path, or the index of the folder there; undefined when there is none. */
  async #find(segments: readonly string[]): Promise<string | undefined> {
    for (const candidate of [segments, [...segments, "index.html"]]) {
      const file = candidate.join("/");
      const found = await stat(join(this.#folder, file)).catch(() => undefined);
      if (found?.isFile()) return file;
    }
    return undefined;
  }
}

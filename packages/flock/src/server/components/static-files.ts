import { statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { checkOptions, FlockError } from "../../core/errors.ts";
import { basePath, joinPath, prefixSchema } from "../http/path.ts";
import { OPEN } from "../security/identity.ts";
import { ServerComponent, type ServerContext } from "../server-component.ts";

/** The options of {@link StaticFilesServerComponent}. */
export interface StaticFilesConfig {
  /** The folder to serve, relative to the working directory. Default: the dashboard. */
  readonly folder?: string;
  /** The path prefix of the files. Default `/`. */
  readonly prefix?: string;
  /** Whether unknown paths return `index.html`, for client-side routing. Default true. */
  readonly spaFallback?: boolean;
  /** The name of the component, for a server with several. Default `static-files`. */
  readonly name?: string;
  /** Lower registers first. Default 99. Routes of other components always take precedence. */
  readonly priority?: number;
}

/** The output folder of the dashboard build: next to `src/` in the repository, next to `lib/` in the published package. */
const DASHBOARD = fileURLToPath(new URL("../../../dashboard/", import.meta.url));

const configSchema = z.strictObject({
  folder: z.string().min(1).default(DASHBOARD),
  prefix: prefixSchema.default("/"),
  spaFallback: z.boolean().default(true),
  name: z.string().min(1).default("static-files"),
  priority: z.number().default(99),
});

/** File names with a content hash, as build tools write them. Such a file never changes. */
const HASHED_NAME = /[-.][\w-]{8,}\.\w+$/;
const IMMUTABLE = "public, max-age=31536000, immutable";
const REVALIDATE = "no-cache";

/**
 * Serves a folder: the dashboard, or your own page. If `app.js.br` or `app.js.gz` exists next to `app.js`, clients that
 * accept that encoding receive it instead.
 */
export class StaticFilesServerComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string;
  readonly #folder: string;

  /** @throws FlockError `invalid_options`, which names each invalid option, or when the folder does not exist. */
  constructor(config: StaticFilesConfig = {}) {
    super(checkOptions("new StaticFilesServerComponent", configSchema, config));
    this.name = this.config.name;
    this.#folder = resolve(this.config.folder);
    if (!statSync(this.#folder, { throwIfNoEntry: false })?.isDirectory()) {
      const todo =
        this.config.folder === DASHBOARD
          ? "the dashboard is not built. Run `npm run build` in Flock's folder."
          : `the folder ${this.#folder} does not exist.`;
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
      // The router prefers any other route to a wildcard, regardless of order.
      for (const url of base === "" ? ["/", "/*"] : [base, `${base}/*`]) {
        scope.route({ method: ["GET", "HEAD"], url, ...OPEN, schema: { hide: true }, handler });
      }
    });
  }

  async #serve(request: FastifyRequest, reply: FastifyReply, isTaken: (path: string) => boolean): Promise<unknown> {
    const wanted = (request.params as { "*"?: string })["*"] ?? "";
    const segments = wanted.split("/").filter((segment) => segment !== "");
    // No path may leave the folder or name a hidden file. A backslash is a separator on Windows only; a NUL is never valid.
    const isForbidden = segments.some((segment) => segment.startsWith(".") || /[\\\0]/.test(segment));
    const file = isForbidden ? undefined : await this.#find(segments);
    if (file === "index.html") return this.#sendPage(file, request.url.split("?")[0] as string, reply);
    if (file !== undefined) {
      const cache = HASHED_NAME.test(file) ? IMMUTABLE : REVALIDATE;
      return reply.header("cache-control", cache).sendFile(file);
    }
    const path = request.url.split("?")[0] as string;
    const wantsPage = request.headers.accept?.includes("text/html") ?? false;
    const isPage = this.config.spaFallback && wantsPage && !isForbidden && !isTaken(joinPath(path));
    if (isPage && (await this.#find([]))) return this.#sendPage("index.html", path, reply);
    throw new FlockError("not_found", `Not found: ${request.method} ${path}.`);
  }

  /**
   * Sends the index page, whose relative URLs (`./app.js`) begin at the folder, for any path. A proxy that serves the
   * server under a sub-path does not change them.
   */
  async #sendPage(file: string, path: string, reply: FastifyReply): Promise<unknown> {
    void reply.header("cache-control", REVALIDATE);
    const folder = folderFrom(path, basePath(this.config.prefix));
    if (folder === "./") return reply.sendFile(file);
    const html = await readFile(join(this.#folder, file), "utf8");
    return reply.type("text/html; charset=utf-8").send(html.replace(/\b(src|href)="\.\//g, `$1="${folder}`));
  }

  /** Returns the file at a path, or the index file of the folder there; undefined when neither exists. */
  async #find(segments: readonly string[]): Promise<string | undefined> {
    for (const candidate of [segments, [...segments, "index.html"]]) {
      const file = candidate.join("/");
      const found = await stat(join(this.#folder, file)).catch(() => undefined);
      if (found?.isFile()) return file;
    }
    return undefined;
  }
}

/** Returns the folder of a component with the base path `base`, relative to the URL path of a page. */
function folderFrom(path: string, base: string): string {
  // `/dash` is next to the folder `/dash/`.
  if (path === base) return `./${base.slice(base.lastIndexOf("/") + 1)}/`;
  const depth = path.slice(base.length).split("/").length - 2;
  return depth <= 0 ? "./" : "../".repeat(depth);
}

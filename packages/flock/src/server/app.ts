import swagger from "@fastify/swagger";
import * as protocol from "@flock-ts/protocol";
import { describeIssues, validate } from "@flock-ts/protocol";
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from "fastify";
import {
  createJsonSchemaTransform,
  createJsonSchemaTransformObject,
  serializerCompiler,
} from "fastify-type-provider-zod";
import { z } from "zod";
import { FlockError } from "../core/errors.ts";
import { VERSION } from "../core/version.ts";
import { registerApiDocs } from "./api-docs.ts";
import { httpErrorOf } from "./http/errors.ts";
import { checkJsonBody } from "./http/json-body.ts";
import { endWithError, parserError, respondWithError } from "./http/socket-errors.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { OPEN } from "./security/identity.ts";
import type { ServerApp } from "./server-component.ts";
import { refuseWhenClosing } from "./shutdown.ts";
import { offersWebSocket, refuseOtherUpgrades } from "./upgrades.ts";

/** The options of {@link createApp}. */
export interface AppOptions {
  /** The maximum size of a request body, in bytes. */
  readonly bodyLimit: number;
  /** Aborted when the server begins to shut down. */
  readonly closing: AbortSignal;
  readonly refusals: RefusalLog;
}

/** Creates the Fastify application of a server, with Zod schemas, uniform errors and API documents. */
export async function createApp(
  logger: FastifyBaseLogger,
  { bodyLimit, closing, refusals }: AppOptions,
): Promise<ServerApp> {
  const app: ServerApp = Fastify({
    loggerInstance: logger,
    bodyLimit,
    // One line per request would hide the important ones.
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    // `refuseWhenClosing` refuses requests with the error shape of the contract.
    return503OnClosing: false,
    http: {
      shouldUpgradeCallback: (request) => app.server.listenerCount("upgrade") > 0 && offersWebSocket(request),
      // Node would answer without a body. `requireHost` does it.
      requireHostHeader: false,
    },
    frameworkErrors: (error, request, { raw }) => {
      const refusal = httpErrorOf(error, request);
      respondWithError(raw, refusal);
      refusals.add(request.raw, request.ip, refusal);
    },
    clientErrorHandler: (error, socket) => {
      if ((error as NodeJS.ErrnoException).code === "ECONNRESET" || socket.destroyed) return;
      endWithError(socket, parserError(error));
    },
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 500 },
  });
  app.setValidatorCompiler<z.ZodType>(({ schema }) => (value) => {
    const { data, issues } = validate(schema, value);
    return issues ? { error: new FlockError("invalid_request", describeIssues(issues), { issues }) } : { value: data };
  });
  app.setSerializerCompiler(serializerCompiler);
  requireHost(app);
  refuseUnknownExpectations(app);
  refuseWhenClosing(app, closing);
  refuseOtherUpgrades(app);
  const parseJson = app.getDefaultJsonParser("error", "error");
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    try {
      checkJsonBody(body);
    } catch (error) {
      done(error as FlockError);
      return;
    }
    parseJson(request, body, done);
  });
  app.setErrorHandler((error, request, reply) => {
    const refusal = httpErrorOf(error, request);
    void reply.status(refusal.status).send({ error: refusal.error });
    refusals.add(request.raw, request.ip, refusal);
  });
  app.setNotFoundHandler((request) => {
    const path = request.url.split("?")[0];
    const hint =
      path === "/" ? " Open /docs for the API, or serve the dashboard with `flock.serve({ dashboard: true })`." : "";
    throw new FlockError("not_found", `Not found: ${request.method} ${path}.${hint}`);
  });
  const shared = sharedSchemas();
  const withSchemas = createJsonSchemaTransformObject({ schemaRegistry: shared });
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Flock",
        version: VERSION,
        description: "The HTTP API of a Flock server. /asyncapi.json describes the WebSocket for live events.",
        license: { name: "Apache-2.0" },
      },
    },
    transform: createJsonSchemaTransform({ schemaRegistry: shared, skipList: ["/docs/*"] }),
    // The server's address is relative to the document of /docs, so that requests of that page reach it under any path.
    transformObject: (document) => ({ ...withSchemas(document), servers: [{ url: ".." }] }),
  });
  await app.register(async (scope) => {
    scope.addHook("onRoute", (route) => {
      route.config = { ...route.config, ...OPEN.config };
    });
    // Only with a slash at its end does the page find its files behind a proxy that serves it under a sub-path.
    scope.addHook("onRequest", async ({ url }, reply) => {
      const [path, query] = url.split("?");
      if (path === "/docs") return reply.redirect(`docs/${query === undefined ? "" : `?${query}`}`);
    });
    await registerApiDocs(scope as unknown as FastifyInstance);
  });
  app.get("/openapi.json", { ...OPEN, schema: { hide: true } }, () => ({
    ...app.swagger(),
    servers: [{ url: "." }],
  }));
  return app;
}

/** Refuses requests of HTTP/1.1 without a `Host` header (RFC 9112 section 3.2). */
function requireHost(app: ServerApp): void {
  app.addHook("onRequest", async ({ raw }) => {
    if (raw.headers.host !== undefined || raw.httpVersion === "1.0") return;
    throw new FlockError("invalid_request", "Missing header: HTTP/1.1 requires `Host`. Send it.");
  });
}

/** Refuses requests whose `Expect` header is not `100-continue`, which Node would do without a body. */
function refuseUnknownExpectations(app: ServerApp): void {
  app.server.on("checkExpectation", ({ headers }, response) => {
    const message = `Unknown expectation: \`${headers.expect}\`. Send \`Expect: 100-continue\`, or no \`Expect\` header.`;
    respondWithError(response, { status: 417, error: { code: "invalid_request", message } });
  });
}

/** Returns the named schemas of the wire contract: the document contains each once, and routes refer to it. */
function sharedSchemas() {
  const registry = z.registry<{ id: string }>();
  for (const schema of Object.values(protocol)) {
    // The contract may have another copy of Zod, so that `instanceof` is of no use.
    if (typeof schema !== "object" || !("_zod" in schema)) continue;
    const id = (schema as z.ZodType).meta()?.id;
    if (id !== undefined) registry.add(schema as z.ZodType, { id });
  }
  return registry;
}

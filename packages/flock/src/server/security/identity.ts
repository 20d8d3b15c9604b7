import type { IncomingMessage } from "node:http";
import { describeIssues, issuesOf, nameSchema, OWNER, type Principal } from "@flock-ts/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { FlockError } from "../../core/errors.ts";
import type { ServerApp } from "../server-component.ts";

/**
 * Returns the principal of a request: a page, a command over HTTP, or the handshake of a WebSocket, whose principal does
 * not change while it is open. Undefined: the client is unknown, and the request gets 401. An exception fails the request.
 *
 * `signal` aborts when the result is no longer needed: the time limit (`principalTimeout`) has passed, the client has
 * disconnected, or the server closes. Pass it on to `fetch` and database drivers.
 */
export type Identify = (
  request: IncomingMessage,
  options: { readonly signal: AbortSignal },
) => Principal | undefined | Promise<Principal | undefined>;

/** When calls to {@link Identify} are abandoned or refused. */
export interface IdentifyLimits {
  /** How long one call may take, in seconds. */
  readonly timeout: number;
  /** How many calls may be pending. */
  readonly maxPending: number;
  /** Aborted when the server begins to shut down. */
  readonly closing: AbortSignal;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether a route needs no authentication. Such a route must reveal nothing of the blackboard. */
    isOpen?: boolean;
  }
  interface FastifyRequest {
    /** The principal of an authenticated request. Read it with `principalOf` of the context. */
    flockPrincipal: Principal | undefined;
  }
}

/** The options of a route that needs no authentication. */
export const OPEN = { config: { isOpen: true } } as const;

const names = z.array(nameSchema).optional();
const principalSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("owner") }),
  z.object({ kind: z.literal("agent"), name: nameSchema, labels: names, tenant: nameSchema.optional() }),
  z.object({
    kind: z.literal("client"),
    name: nameSchema,
    labels: names,
    tenant: nameSchema.optional(),
    agents: names,
  }),
]);

/** How long a client should wait when too many requests are being authenticated, in seconds. */
const BUSY_RETRY_AFTER_S = 5;

/**
 * Returns the function that reads the principal of a request. Without `identify`, every client is the owner.
 * The function throws an Error on a route that needs no authentication: its requests have no principal.
 */
export function principalReader(
  app: ServerApp,
  identify: Identify | undefined,
): (request: FastifyRequest) => Principal {
  if (!identify) return () => OWNER;
  app.decorateRequest("flockPrincipal", undefined);
  return ({ flockPrincipal, routeOptions }) => {
    if (flockPrincipal) return flockPrincipal;
    throw new Error(
      `The request to ${routeOptions.url} has no principal: the route needs no authentication (\`isOpen\`)`,
    );
  };
}

/** Authenticates every request before its route handles it. Without `identify`, requests are not authenticated. */
export function authenticate(app: ServerApp, identify: Identify | undefined, limits: IdentifyLimits): void {
  if (!identify) return;
  const pending = new Set<AbortController>();
  limits.closing.addEventListener("abort", () => {
    for (const call of pending) call.abort(limits.closing.reason);
  });
  const call = async ({ raw }: FastifyRequest, reply: FastifyReply): Promise<Principal | undefined> => {
    const controller = new AbortController();
    const { signal } = controller;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    const onTimeout = () => controller.abort(timedOut(limits.timeout));
    const onGone = () => controller.abort(new FlockError("unavailable", "The client has disconnected."));
    const timer = setTimeout(onTimeout, limits.timeout * 1_000);
    reply.raw.once("close", onGone);
    pending.add(controller);
    try {
      return await Promise.race([identify(raw, { signal }), aborted]);
    } finally {
      clearTimeout(timer);
      reply.raw.off("close", onGone);
      pending.delete(controller);
    }
  };
  app.addHook("onRequest", async (request, reply) => {
    if (request.routeOptions.config.isOpen) return;
    if (pending.size >= limits.maxPending) {
      void reply.header("retry-after", BUSY_RETRY_AFTER_S);
      throw new FlockError(
        "unavailable",
        `Cannot authenticate: ${limits.maxPending} requests are waiting for \`principal\` (\`maxPendingPrincipals\`). Retry later.`,
      );
    }
    const found = await call(request, reply);
    if (found === undefined) {
      throw new FlockError("not_authenticated", "Authentication required: send valid credentials.");
    }
    const { data, error } = principalSchema.safeParse(found);
    // An invalid principal is the server's mistake, not the client's, and must not grant access.
    if (error)
      throw new Error(`\`principal\` of flock.serve returned no principal: ${describeIssues(issuesOf(error))}`);
    request.flockPrincipal = data as Principal;
  });
}

function timedOut(seconds: number): FlockError {
  return new FlockError(
    "unavailable",
    `Cannot authenticate: \`principal\` did not answer within ${seconds} seconds (\`principalTimeout\`). Retry later.`,
  );
}

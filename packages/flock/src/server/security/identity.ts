import type { IncomingMessage } from "node:http";
import { describeIssues, issuesOf, OWNER, type Principal } from "@flock-ts/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { FlockError } from "../../core/errors.ts";
import type { ServerApp } from "../server-component.ts";

/**
 * Says who a client is, from the request that it comes with: a page, a command over HTTP, or the handshake of a
 * WebSocket, whose principal stays the same as long as it is open. Undefined: nobody we know, which is answered with
 * 401. What it throws is answered as an error.
 *
 * `signal` aborts when the answer is no longer of use: the time limit (`principalTimeout`) has passed, the client has
 * disconnected, or the server closes. Pass it on to `fetch` and database drivers.
 */
export type Identify = (
  request: IncomingMessage,
  options: { readonly signal: AbortSignal },
) => Principal | undefined | Promise<Principal | undefined>;

/** The limits of calls to {@link Identify}. */
export interface IdentifyLimits {
  /** How long one call may take, in seconds. */
  readonly timeout: number;
  /** How many calls may be pending. */
  readonly maxPending: number;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** Whether a route is for everybody, whoever they are: it tells nothing of the blackboard. */
    isOpen?: boolean;
  }
}

/** The options of a route that is for everybody. */
export const OPEN = { config: { isOpen: true } } as const;

const names = z.array(z.string().min(1)).optional();
const principalSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("owner") }),
  z.object({ kind: z.literal("agent"), name: z.string().min(1), labels: names, tenant: z.string().min(1).optional() }),
  z.object({
    kind: z.literal("client"),
    name: z.string().min(1),
    labels: names,
    tenant: z.string().min(1).optional(),
    agents: names,
  }),
]);

/** How long a client should wait when too many are being authenticated, in seconds. */
const BUSY_RETRY_AFTER_S = 5;

function timedOut(seconds: number): FlockError {
  return new FlockError(
    "unavailable",
    `cannot authenticate: \`principal\` did not answer within ${seconds} seconds (principalTimeout). Retry later.`,
  );
}

/** Who has been found out; undefined where nobody asks. */
const known = new WeakMap<FastifyRequest, Principal>();
const asking = new WeakSet<object>();

/** Has every request to the routes of an application say who it is from, before anything else is done with it. */
export function askWho(app: ServerApp, identify: Identify | undefined, limits: IdentifyLimits): void {
  if (!identify) return;
  asking.add(app.server);
  const pending = new Set<AbortController>();
  let isClosing = false;
  app.addHook("preClose", async () => {
    isClosing = true;
    for (const call of pending) call.abort(new FlockError("shutting_down", "the server is shutting down"));
  });
  const call = async ({ raw }: FastifyRequest, reply: FastifyReply): Promise<Principal | undefined> => {
    const controller = new AbortController();
    const { signal } = controller;
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    const onTimeout = () => controller.abort(timedOut(limits.timeout));
    const onGone = () => controller.abort(new FlockError("unavailable", "the client has disconnected"));
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
    if (isClosing) throw new FlockError("shutting_down", "the server is shutting down");
    if (pending.size >= limits.maxPending) {
      void reply.header("retry-after", BUSY_RETRY_AFTER_S);
      throw new FlockError(
        "unavailable",
        `cannot authenticate now: ${limits.maxPending} requests are waiting for \`principal\` (maxPendingPrincipals). Retry later.`,
      );
    }
    const found = await call(request, reply);
    if (found === undefined) {
      throw new FlockError("not_authenticated", "this server does not know who you are: send what it knows you by");
    }
    const { data, error } = principalSchema.safeParse(found);
    // What is no principal is no mistake of the client's, and must not let anybody in.
    if (error) throw new Error(`the principal function of flock.serve gave none: ${describeIssues(issuesOf(error))}`);
    known.set(request, data as Principal);
  });
}

/**
 * Who a request is from: the owner where the server asks nobody who they are.
 * @throws Error on a route that is for everybody: nobody has been asked there.
 */
export function principalOf(request: FastifyRequest): Principal {
  const principal = known.get(request);
  if (principal) return principal;
  if (!asking.has(request.server.server)) return OWNER;
  throw new Error(`nobody was asked who they are at ${request.routeOptions.url}, which is open to everybody`);
}

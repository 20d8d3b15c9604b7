import type { IncomingMessage } from "node:http";
import { describeIssues, issuesOf, OWNER, type Principal } from "@flock-ts/protocol";
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import { FlockError } from "../../core/errors.ts";
import type { ServerApp } from "../server-component.ts";

/**
 * Says who a client is, from the request that it comes with: a page, a command over HTTP, or the handshake of a
 * WebSocket, whose principal stays the same as long as it is open. Undefined: nobody we know, which is answered with
 * 401. What it throws is answered as an error.
 */
export type Identify = (request: IncomingMessage) => Principal | undefined | Promise<Principal | undefined>;

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

/** Who has been found out; undefined where nobody asks. */
const known = new WeakMap<FastifyRequest, Principal>();
const asking = new WeakSet<object>();

/** Has every request to the routes of an application say who it is from, before anything else is done with it. */
export function askWho(app: ServerApp, identify: Identify | undefined): void {
  if (!identify) return;
  asking.add(app.server);
  app.addHook("onRequest", async (request) => {
    if (request.routeOptions.config.isOpen) return;
    const found = await identify(request.raw);
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

import { isIP } from "node:net";
import { z } from "zod";
import { FlockError } from "../../core/errors.ts";
import type { ServerApp, ServerContext } from "../server-component.ts";
import { hostnameOf, isLoopback, policyOf } from "./origin.ts";

/** The `hosts` option of a server. */
export const hostsSchema = z.array(
  z
    .string()
    .refine((name) => name !== "" && hostnameOf(name) === name.toLowerCase(), {
      message: "a host is a plain name such as app.example.com: no port, no scheme, no path",
    })
    .transform((name) => name.toLowerCase()),
);

/** What decides by which names a server answers. */
export interface HostNameOptions {
  /** Where the server listens. */
  readonly host: string;
  /** Names that it answers by, beside those of this machine; undefined: any, unless only this machine reaches it. */
  readonly hosts: readonly string[] | undefined;
  readonly components: ServerContext["components"];
}

/**
 * Turns away who asks for another host than this one. Whoever owns a name can have it lead to this machine, and what their
 * page then asks of us comes from the same host in the eyes of the browser (DNS rebinding): there is no foreign origin
 * that could be refused. An address cannot be made to lead elsewhere, nor can `localhost`.
 */
export function answerByName(app: ServerApp, { host, hosts, components }: HostNameOptions): void {
  const listensHere = isLoopback(originOf(host));
  if (!listensHere && !hosts) return;
  const names = new Set([...(hosts ?? []), host.toLowerCase()]);
  app.addHook("onRequest", async ({ headers }) => {
    const asked = headers.host;
    if (asked === undefined) return;
    const name = hostnameOf(asked);
    if (name !== undefined && (names.has(name) || isAddress(name) || isLoopback(`http://${name}`))) return;
    const policy = policyOf(components);
    if (policy?.isOriginAllowed(`https://${asked}`) || policy?.isOriginAllowed(`http://${asked}`)) return;
    throw new FlockError(
      "host_not_allowed",
      `this server ${listensHere ? "is for this machine alone and " : ""}does not answer for ${asked}: when a proxy passes that name on, list it in \`hosts\` of flock.serve`,
    );
  });
}

function isAddress(hostname: string): boolean {
  return isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
}

function originOf(host: string): string {
  return `http://${isIP(host) === 6 ? `[${host}]` : host}`;
}

import { isIP } from "node:net";
import { z } from "zod";
import { FlockError } from "../../core/errors.ts";
import type { ServerApp } from "../server-component.ts";
import { hostnameOf, isLoopback, type Origins, relativeName } from "./origins.ts";

/** The `hosts` option of a server. */
export const hostsSchema = z.array(
  z
    .string()
    .refine((name) => name !== "" && hostnameOf(name) === relativeName(name), {
      message: "a host is a plain name such as app.example.com: no port, no scheme, no path",
    })
    .transform(relativeName),
);

/** The options of {@link checkHostNames}. */
export interface HostNameOptions {
  /** The address that the server listens on. */
  readonly host: string;
  /** Accepted names besides those of this machine. Undefined: any name, unless the server listens on loopback only. */
  readonly hosts: readonly string[] | undefined;
  readonly origins: Origins;
}

/**
 * Refuses requests whose `Host` header names another host. The owner of a name can make it resolve to this machine, and
 * requests of a page from there then have the same origin as the server (DNS rebinding), so that a check of the origin
 * does not stop them. Addresses and `localhost` cannot be made to resolve elsewhere.
 */
export function checkHostNames(app: ServerApp, { host, hosts, origins }: HostNameOptions): void {
  const isLocal = isLoopback(originOf(host));
  if (!isLocal && !hosts) return;
  const names = new Set([...(hosts ?? []), relativeName(host)]);
  app.addHook("onRequest", async ({ headers }) => {
    const requested = headers.host;
    if (requested === undefined) return;
    const name = hostnameOf(requested);
    if (name !== undefined && (names.has(name) || isAddress(name) || isLoopback(`http://${name}`))) return;
    if (origins.isAllowed(`https://${requested}`) || origins.isAllowed(`http://${requested}`)) return;
    throw new FlockError(
      "host_not_allowed",
      `Host ${requested} is not allowed${isLocal ? ": this server listens on loopback only" : ""}. If a proxy forwards that name, add it to \`hosts\` of \`flock.serve\`.`,
    );
  });
}

function isAddress(hostname: string): boolean {
  return isIP(hostname.replace(/^\[|\]$/g, "")) !== 0;
}

function originOf(host: string): string {
  return `http://${isIP(host) === 6 ? `[${host}]` : host}`;
}

import type { ServerComponent } from "../server-component.ts";

/** What decides about origins, when there is one: see `CORSComponent`. */
export interface OriginPolicy {
  isOriginAllowed(origin: string): boolean;
}

/** The server's policy about origins, if it has one. */
export function policyOf(components: ReadonlyMap<string, ServerComponent>): OriginPolicy | undefined {
  const cors = components.get("cors") as (ServerComponent & Partial<OriginPolicy>) | undefined;
  return cors?.isOriginAllowed ? (cors as ServerComponent & OriginPolicy) : undefined;
}

/** The name or address in a `Host` header, without the port, in the browser's spelling; undefined for what is none. */
export function hostnameOf(host: string): string | undefined {
  try {
    const { hostname, pathname, username, search, hash } = new URL(`http://${host}`);
    return pathname === "/" && username === "" && search === "" && hash === "" ? hostname : undefined;
  } catch {
    return undefined;
  }
}

/** Ports aside: a proxy may listen on another one than we do, and browsers keep cookies by host as well. */
export function isSameHost(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && new URL(origin).hostname === hostnameOf(host);
}

/**
 * Whether an origin names this machine as nobody else can: whoever owns a name can have it lead here, and their page then
 * has the same host as we do (DNS rebinding).
 */
export function isLoopback(origin: string): boolean {
  return URL.canParse(origin) && /^((.+\.)?localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(new URL(origin).hostname);
}

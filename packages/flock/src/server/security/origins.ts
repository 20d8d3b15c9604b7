/** The origins whose web pages may use the server, besides its own. Components add rules in their `configure` step. */
export class Origins {
  readonly #rules: ((origin: string) => boolean)[] = [];

  /** Allows the origins that `rule` accepts. */
  allow(rule: (origin: string) => boolean): void {
    this.#rules.push(rule);
  }

  /** Whether a rule accepts the origin. */
  isAllowed(origin: string): boolean {
    return this.#rules.some((rule) => rule(origin));
  }
}

/**
 * Returns the name or address in a `Host` header as browsers write it, without the port and without the dot at the end of
 * an absolute name; undefined if it is invalid.
 */
export function hostnameOf(host: string): string | undefined {
  try {
    const { hostname, pathname, username, search, hash } = new URL(`http://${host}`);
    return pathname === "/" && username === "" && search === "" && hash === "" ? relativeName(hostname) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether an origin and a `Host` header name the same host. Ports are ignored: a proxy may listen on another port, and
 * browsers share cookies between the ports of a host.
 */
export function isSameHost(origin: string, host: string | undefined): boolean {
  return host !== undefined && URL.canParse(origin) && relativeName(new URL(origin).hostname) === hostnameOf(host);
}

/**
 * Whether an origin names this machine in a way that no attacker can take over. The owner of any other name can make it
 * resolve to this machine, and a page from there then has the same host as the server (DNS rebinding).
 */
export function isLoopback(origin: string): boolean {
  return (
    URL.canParse(origin) &&
    /^((.+\.)?localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(relativeName(new URL(origin).hostname))
  );
}

/** Returns a name in lower case, without the dot at the end of an absolute name: `Localhost.` is `localhost`. */
export function relativeName(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, "");
}

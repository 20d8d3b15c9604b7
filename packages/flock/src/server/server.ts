import type { ServerComponent } from "./server-component.ts";

/** A server that listens. */
export class FlockServer {
  /** Where it listens; names such as `localhost` are kept as they were given. */
  readonly host: string;
  /** The port, also when 0 was asked for. */
  readonly port: number;
  readonly #components: ReadonlyMap<string, ServerComponent>;
  readonly #close: () => Promise<void>;
  #closing: Promise<void> | undefined;

  /** For `flock.serve` only. */
  constructor(
    host: string,
    port: number,
    components: ReadonlyMap<string, ServerComponent>,
    close: () => Promise<void>,
  ) {
    this.host = host;
    this.port = port;
    this.#components = components;
    this.#close = close;
  }

  /** `http://host:port`, as a browser on this machine can open it. */
  get url(): string {
    // "Everywhere" is no place that a browser can go to.
    const host = this.host === "0.0.0.0" || this.host === "::" ? "localhost" : this.host;
    return `http://${host.includes(":") ? `[${host}]` : host}:${this.port}`;
  }

  /** The component of this name, or undefined. */
  component(name: string): ServerComponent | undefined {
    return this.#components.get(name);
  }

  /** Ends the components in reverse order, then the server. May be called again. The flock goes on. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Ends like `close`, at the end of an `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

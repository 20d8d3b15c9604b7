import type { ServerComponent } from "./server-component.ts";

/** A running server. */
export class FlockServer {
  /** The address it listens on, as given in the options. */
  readonly host: string;
  /** The port it listens on, also if the options asked for port 0. */
  readonly port: number;
  readonly #components: ReadonlyMap<string, ServerComponent>;
  readonly #close: () => Promise<void>;
  #closing: Promise<void> | undefined;

  /** @internal `flock.serve` constructs it. */
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
    // A browser cannot open the unspecified address.
    const host = this.host === "0.0.0.0" || this.host === "::" ? "localhost" : this.host;
    return `http://${host.includes(":") ? `[${host}]` : host}:${this.port}`;
  }

  /** Returns the component of this name, or undefined. */
  component(name: string): ServerComponent | undefined {
    return this.#components.get(name);
  }

  /** Stops the components in reverse order, then the server. The flock keeps running. Repeated calls have no effect. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes the server at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

import { Flock, type FlockServer } from "flock-ts";
import { type ServerComponent, WebSocketServerComponent } from "flock-ts/components/server";
import { RecordingSocket } from "./recording-socket.ts";

/** What a test's server is made of. */
export interface ServerOptions {
  /** The flock to serve; an empty one unless given. It is shut down with the server. */
  readonly flock?: Flock;
  /** A WebSocket component with its defaults unless given. */
  readonly components?: readonly ServerComponent[];
  readonly dashboard?: boolean;
  /** A free one unless given. */
  readonly port?: number;
}

/** A flock that serves on a free port of the loopback. */
export interface TestServer extends AsyncDisposable {
  readonly flock: Flock;
  readonly server: FlockServer;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly websocket: WebSocketServerComponent;
  /** The address of a path as `ws://`. */
  ws(path?: string): string;
  /** A client that is connected and has read its `hello`. */
  connect(path?: string): Promise<RecordingSocket>;
  /** A page or an endpoint, over HTTP. */
  get(path: string): Promise<Response>;
}

/** Starts a real server. It is shut down with the test. */
export async function startServer({
  flock = new Flock(),
  components = [new WebSocketServerComponent()],
  dashboard = false,
  port = 0,
}: ServerOptions = {}): Promise<TestServer> {
  const server = await flock.serve({ components: [...components], dashboard, port });
  const ws = (path = "/plugin/ws") => server.url.replace("http", "ws") + path;
  return {
    flock,
    server,
    url: server.url,
    websocket: server.component("websocket") as WebSocketServerComponent,
    ws,
    async connect(path) {
      const socket = await RecordingSocket.open(ws(path));
      await socket.next("hello");
      return socket;
    },
    get: (path) => fetch(server.url + path),
    [Symbol.asyncDispose]: () => flock.shutdown(),
  };
}

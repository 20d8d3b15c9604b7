import { once } from "node:events";
import { createServer } from "node:http";
import { Server } from "socket.io";
import type { ServerOptions } from "../calls.ts";
import { optionsOf } from "../child.ts";
import { eventOf, textOf, workflowOf } from "../event.ts";
import { serve } from "../servers/serve.ts";

/** Longer than any client of a benchmark is disconnected. */
const MAX_DISCONNECTION_MS = 600_000;
/** Room of clients that subscribe to everything, when there are several workflows. */
const EVERYTHING = "everything";

const { workflows = 1, heartbeatMs, recovery = false, compression = false } = optionsOf<ServerOptions>();
const http = createServer();
const io = new Server(http, {
  transports: ["websocket"],
  perMessageDeflate: compression && { threshold: 0 },
  serveClient: false,
  ...(heartbeatMs === undefined ? {} : { pingInterval: heartbeatMs }),
  ...(recovery ? { connectionStateRecovery: { maxDisconnectionDuration: MAX_DISCONNECTION_MS } } : {}),
});
if (workflows > 1) {
  io.on("connection", (socket) => {
    void socket.join(String(socket.handshake.query.follow ?? EVERYTHING));
  });
}
http.listen(0, "127.0.0.1");
await once(http, "listening");
serve((http.address() as { port: number }).port, (n) => {
  const audience = workflows > 1 ? io.to(workflowOf(n % workflows)).to(EVERYTHING) : io;
  audience.emit("event", eventOf(n, textOf(n)));
});

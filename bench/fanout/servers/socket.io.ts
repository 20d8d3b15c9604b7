import { once } from "node:events";
import { createServer } from "node:http";
import { Server } from "socket.io";
import { textOf } from "../messages.ts";
import { serve } from "./child.ts";
import { eventOf } from "./event.ts";

const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });
http.listen(0, "127.0.0.1");
await once(http, "listening");
serve((http.address() as { port: number }).port, (n) => {
  io.emit("event", eventOf(n, textOf(n)));
});

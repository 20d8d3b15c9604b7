import { once } from "node:events";
import { WebSocketServer } from "ws";
import { textOf } from "../messages.ts";
import { serve } from "./child.ts";
import { eventOf } from "./event.ts";

// The broadcast of the `ws` documentation: encode once, send to each.
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
await once(server, "listening");
serve((server.address() as { port: number }).port, (n) => {
  const message = JSON.stringify(eventOf(n, textOf(n)));
  for (const client of server.clients) if (client.readyState === client.OPEN) client.send(message);
});

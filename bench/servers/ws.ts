import { once } from "node:events";
import { type WebSocket, WebSocketServer } from "ws";
import type { ServerOptions } from "../calls.ts";
import { optionsOf } from "../child.ts";
import { eventOf, textOf, workflowOf } from "../event.ts";
import { serve } from "./serve.ts";

// The broadcast of the `ws` documentation: encode once, send to each subscriber.
const { workflows = 1, heartbeatMs, compression = false } = optionsOf<ServerOptions>();
const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: compression && { threshold: 0 } });
const followed = new WeakMap<WebSocket, string>();
server.on("connection", (client, { url = "/" }) => {
  const follow = new URL(url, "ws://localhost").searchParams.get("follow");
  if (follow !== null) followed.set(client, follow);
});
if (heartbeatMs !== undefined) beat(heartbeatMs);
await once(server, "listening");
serve((server.address() as { port: number }).port, (n) => {
  const message = JSON.stringify(eventOf(n, textOf(n)));
  const workflow = workflowOf(n % workflows);
  for (const client of server.clients) {
    if (client.readyState !== client.OPEN) continue;
    const follow = followed.get(client);
    if (follow === undefined || follow === workflow) client.send(message);
  }
});

/** The heartbeat of the `ws` documentation. */
function beat(intervalMs: number): void {
  const answered = new WeakSet<WebSocket>();
  server.on("connection", (client) => {
    answered.add(client);
    client.on("pong", () => answered.add(client));
  });
  setInterval(() => {
    for (const client of server.clients) {
      if (!answered.delete(client)) client.terminate();
      else client.ping();
    }
  }, intervalMs);
}

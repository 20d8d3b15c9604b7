import { connect } from "node:net";

/** Posts JSON with headers that `fetch` does not let anybody set, and gives the whole answer as text. */
export async function rawRequest(
  port: number,
  body: string,
  headers: Record<string, string>,
  path = "/mcp",
): Promise<string> {
  const lines = Object.entries({
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    connection: "close",
    "content-length": String(Buffer.byteLength(body)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const socket = connect(port, "127.0.0.1");
  socket.write(`POST ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
  let text = "";
  for await (const chunk of socket) text += chunk;
  return text;
}

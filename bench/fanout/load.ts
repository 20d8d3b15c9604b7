// The clients, in a process of their own. They read frames and nothing else, so that the server is what is measured.
import { connect, type Socket } from "node:net";
import { clientFrame, FrameReader } from "./frames.ts";
import { type FromLoad, type Peer, readText, type ToLoad } from "./messages.ts";
import { percentile } from "./statistics.ts";

/** One delivery in so many is timed. */
const SAMPLED = 7;
const TEXT = 1;
const PING = 9;

const PATHS: Record<Peer, string> = {
  flock: "/plugin/ws",
  ws: "/",
  "socket.io": "/socket.io/?EIO=4&transport=websocket",
};

const sockets = new Set<Socket>();
let expected = 0;
let deliveries = 0;
let mistakes = 0;
let first = 0;
let last = 0;
let latencies: number[] = [];
/** The number that each client waits for. */
let next: number[] = [];

const tell = (message: FromLoad) => process.send?.(message);

process.on("message", async (message: ToLoad) => {
  if (message.do === "connect") {
    const { port, peer, clients } = message;
    next = Array.from({ length: clients }, () => 0);
    for (let i = 0; i < clients; i++) await open(port, peer, i);
    tell({ is: "connected" });
  } else if (message.do === "expect") {
    expected = message.events * sockets.size;
    deliveries = mistakes = first = last = 0;
    latencies = [];
  } else {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    process.exit(0);
  }
});

function open(port: number, peer: Peer, client: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", reject);
    let upgraded = false;
    let head = Buffer.alloc(0);
    const reader = new FrameReader((opcode, payload) => {
      if (opcode === PING) socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]));
      if (opcode !== TEXT) return;
      if (peer === "socket.io") {
        // Engine.IO: 0 opens, 2 asks for a sign of life; Socket.IO: 40 joins.
        if (payload[0] === 0x30) socket.write(clientFrame("40"));
        if (payload[0] === 0x32) socket.write(clientFrame("3"));
        if (payload[0] === 0x34 && payload[1] === 0x30) resolve();
      } else if (peer === "flock" && deliveries === 0 && payload.includes('"hello"')) resolve();
      take(client, payload);
    });
    socket.on("data", (chunk) => {
      if (upgraded) {
        reader.push(chunk);
        return;
      }
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!head.toString("latin1", 0, 12).endsWith("101")) reject(new Error(head.toString("latin1", 0, end)));
      upgraded = true;
      if (peer === "ws") resolve();
      reader.push(head.subarray(end + 4));
    });
    socket.write(
      `GET ${PATHS[peer]} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
  });
}

function take(client: number, payload: Buffer): void {
  const text = readText(payload);
  if (!text) return;
  if (text.n !== next[client]) mistakes += 1;
  next[client] = text.n + 1;
  const now = performance.timeOrigin + performance.now();
  if (deliveries === 0) first = now;
  if (deliveries % SAMPLED === 0) latencies.push(now - text.at);
  last = now;
  deliveries += 1;
  if (deliveries === expected) {
    latencies.sort((a, b) => a - b);
    tell({
      is: "received",
      elapsedMs: last - first,
      deliveries,
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
      mistakes,
    });
  }
}

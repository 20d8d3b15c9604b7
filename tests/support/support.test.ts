import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { temporaryFolder } from "./folder.ts";
import { installed } from "./installed.ts";
import { startNginx } from "./nginx.ts";
import { RunningProgram } from "./process.ts";
import { runPython } from "./python.ts";
import { OPCODE, RawSocket } from "./raw-socket.ts";
import { RecordingSocket } from "./recording-socket.ts";

// The tools that the other tests trust, held against `ws` as the server.

let peer: WebSocketServer;
let url: string;

beforeEach(async () => {
  peer = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => peer.once("listening", resolve));
  url = `ws://127.0.0.1:${(peer.address() as { port: number }).port}/plugin/ws`;
});

afterEach(async () => {
  for (const client of peer.clients) client.terminate();
  await new Promise((resolve) => peer.close(resolve));
});

const alive = (pid: number) => existsSync(`/proc/${pid}`);

describe("a tool that is missing", () => {
  it("fails the test and says what to do", () => {
    expect(() => installed("/usr/bin/no-such-tool", "some-package")).toThrow(/some-package.*`npm test` installs it/);
  });
});

describe("a temporary folder", () => {
  it("is gone with the test", async () => {
    let path: string;
    {
      await using folder = await temporaryFolder();
      path = folder.path;
      await mkdir(join(path, "inside"));
      await writeFile(join(path, "inside", "file"), "x");
      expect(existsSync(path)).toBe(true);
    }
    expect(existsSync(path)).toBe(false);
  });
});

describe("a running program", () => {
  it("tells its lines, its exit code and its errors", async () => {
    await using program = new RunningProgram(["sh", "-c", "echo one; echo two >&2; exit 3"]);
    expect(await program.line(/one/)).toBe("one");
    expect(await program.exit()).toBe(3);
    expect(program.errors).toBe("two\n");
    await expect(program.line(/three/)).rejects.toThrow(/ended without the line/);
  });

  it("ends with the test, even when it does not want to", async () => {
    let pid: number;
    {
      await using program = new RunningProgram(["sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.1; done"], {
        grace: 50,
      });
      await program.line(/deaf/);
      pid = program.pid;
      expect(alive(pid)).toBe(true);
    }
    expect(alive(pid)).toBe(false);
  });
});

describe("a recording socket", () => {
  it("keeps what comes and finds it, before or after it has come", async () => {
    peer.on("connection", (socket) => {
      socket.send('{"type":"caught_up","seq":1}');
      socket.on("message", () => socket.send('{"type":"caught_up","seq":2}'));
    });
    await using socket = await RecordingSocket.open(url);
    await socket.next("caught_up");
    socket.send({ type: "anything" });
    expect(await socket.next("caught_up", ({ seq }) => seq === 2)).toEqual({ type: "caught_up", seq: 2 });
    expect(socket.all("caught_up").map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it.each([
    ["a type that the contract does not know", '{"type":"nonsense"}'],
    ["a field that is missing", '{"type":"caught_up"}'],
    ["a field that the contract does not know", '{"type":"caught_up","seq":1,"extra":true}'],
    ["something that is not JSON", "{"],
    ["a binary frame", Buffer.from("{}")],
  ])("fails on %s", async (_name, message) => {
    peer.on("connection", (socket) => socket.send(message));
    await expect(async () => {
      await using socket = await RecordingSocket.open(url);
      await socket.next("hello");
    }).rejects.toThrow(/broke the wire contract/);
  });

  it("says what there is when it waits in vain", async () => {
    peer.on("connection", (socket) => socket.send('{"type":"caught_up","seq":1}'));
    await using socket = await RecordingSocket.open(url);
    await socket.next("caught_up");
    await expect(socket.until(() => undefined, "a miracle", 20)).rejects.toThrow(/not a miracle; received 1 caught_up/);
  });

  it("tells how HTTP refused it", async () => {
    peer.options.verifyClient = (_info: unknown, answer: (ok: boolean, status: number, body: string) => void) =>
      answer(false, 403, '{"error":{}}');
    expect(await RecordingSocket.refused(url)).toMatchObject({ status: 403, body: { error: {} } });
  });

  it("does not take an accepted connection for a refused one", async () => {
    await expect(RecordingSocket.refused(url)).rejects.toThrow(/accepted/);
  });
});

describe("a raw socket", () => {
  it("speaks the protocol when it wants to", async () => {
    peer.on("connection", (socket) => socket.on("message", (data) => socket.send(data.toString())));
    await using raw = await RawSocket.open(url);
    for (const size of [1, 125, 126, 65_535, 65_536, 200_000]) {
      const message = JSON.stringify({ type: "echo", text: "x".repeat(size) });
      raw.sendFrame(message);
      expect(JSON.stringify(await raw.message("echo"))).toBe(message);
    }
    raw.sendFrame("hi", { opcode: OPCODE.ping });
    expect(await raw.frame()).toEqual({ final: true, opcode: OPCODE.pong, payload: Buffer.from("hi") });
  });

  it("breaks it when it wants to", async () => {
    await using raw = await RawSocket.open(url);
    peer.clients.forEach((socket) => {
      socket.on("error", () => {});
    });
    raw.sendFrame("rude", { masked: false });
    expect((await raw.closeFrame()).code).toBe(1002);
    await raw.ended();
  });

  it("reads what HTTP answers", async () => {
    await using raw = await RawSocket.connect(url);
    expect((await raw.request("/plugin/ws", { "Sec-WebSocket-Key": null })).status).toBe(400);
  });

  it("vanishes without a word", async () => {
    const left = new Promise<number>((resolve) => peer.on("connection", (socket) => socket.on("close", resolve)));
    await using raw = await RawSocket.open(url);
    raw.vanish();
    expect(await left).toBe(1006);
  });
});

describe("nginx", () => {
  it.each([false, true])("proxies a WebSocket, TLS: %s, and ends with the test", async (tls) => {
    peer.on("connection", (socket) => socket.send('{"type":"caught_up","seq":1}'));
    let address: string;
    {
      await using nginx = await startNginx({
        tls,
        locations: `location /plugin/ws {
          proxy_pass http://localhost:${new URL(url).port};
          proxy_http_version 1.1;
          proxy_set_header Upgrade $http_upgrade;
          proxy_set_header Connection "upgrade";
        }`,
      });
      address = `${nginx.wsUrl}/plugin/ws`;
      await using socket = await RecordingSocket.open(address, { rejectUnauthorized: false });
      await socket.next("caught_up");
    }
    await expect(RecordingSocket.open(address)).rejects.toThrow(/ECONNREFUSED/);
  });

  it("says why it does not start", async () => {
    await expect(startNginx({ locations: "no_such_directive on;" })).rejects.toThrow(/no_such_directive/);
  });
});

describe("Python", () => {
  it("runs with Debian's websockets", async () => {
    await using folder = await temporaryFolder();
    const program = join(folder.path, "version.py");
    await writeFile(program, "import sys, websockets\nprint(sys.executable, websockets.__file__, sys.argv[1])\n");
    await using python = runPython(program, ["argument"]);
    expect(await python.line(/./)).toBe(
      "/usr/bin/python3 /usr/lib/python3/dist-packages/websockets/__init__.py argument",
    );
    expect(await python.exit()).toBe(0);
  });
});

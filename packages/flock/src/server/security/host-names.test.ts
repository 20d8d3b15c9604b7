import { once } from "node:events";
import { request } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { artifact, Flock } from "../../index.ts";
import {
  ArtifactsComponent,
  CORSComponent,
  ControlRoutesComponent,
  WebSocketServerComponent,
} from "../components/index.ts";
import type { ServeOptions } from "../serve.ts";

const Idea = artifact("Idea", z.object({ text: z.string() }));

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

/** A server with a secret on its blackboard, and what comes of asking it as a page of some name would. */
async function served(options: ServeOptions = {}) {
  const flock = new Flock().register(Idea);
  ending.push(() => flock.shutdown());
  await flock.publish(Idea({ text: "a secret" }));
  const { components = [], ...rest } = options;
  const standard = [new WebSocketServerComponent(), new ControlRoutesComponent(), new ArtifactsComponent()];
  const { port } = await flock.serve({ port: 0, components: [...standard, ...components], ...rest });
  const address = rest.host === "::1" ? "[::1]" : "127.0.0.1";
  /** The status and the body; of a stream that is begun, what has come first. */
  const ask = async (host: string, path: string, headers: Record<string, string> = {}, body?: string) => {
    const asked = request(`http://${address}:${port}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { host, ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      agent: false,
    });
    asked.end(body);
    const [response] = await once(asked, "response");
    const [first] = await once(response, "data");
    response.destroy();
    return { status: response.statusCode as number, text: String(first) };
  };
  const upgrade = async (host: string) => {
    const socket = new WebSocket(`ws://${address}:${port}/plugin/ws?since=0`, {
      headers: { host, origin: `http://${host}` },
    });
    const opened = once(socket, "open").then(() => 101);
    const refused = once(socket, "unexpected-response").then(([, { statusCode }]) => statusCode as number);
    socket.on("error", () => {});
    const status = await Promise.race([opened, refused]);
    socket.terminate();
    return status;
  };
  const publish = JSON.stringify({ artifact_type: "Idea", payload: { text: "from a page" } });
  return {
    flock,
    port,
    /** What a page gets by each way in, when its address bar says `host`. */
    async ways(host: string) {
      const origin = `http://${host}`;
      const stream = { accept: "text/event-stream" };
      return {
        read: (await ask(host, "/api/v1/plugin/artifacts")).status,
        stream: (await ask(host, "/plugin/events?since=0", stream)).status,
        publish: (await ask(host, "/api/plugin/publish", { origin }, publish)).status,
        websocket: await upgrade(host),
      };
    },
    ask,
  };
}

const ALL_IN = { read: 200, stream: 200, publish: 200, websocket: 101 };
const ALL_OUT = { read: 403, stream: 403, publish: 403, websocket: 403 };

describe("a page whose name resolves to this machine", () => {
  it("is refused on every route, with the reason", async () => {
    const { flock, ways, ask, port } = await served();
    expect(await ways(`evil.example:${port}`)).toEqual(ALL_OUT);
    const { text } = await ask("evil.example", "/api/v1/plugin/artifacts");
    expect(text).not.toContain("secret");
    expect(JSON.parse(text).error).toMatchObject({
      code: "host_not_allowed",
      message: expect.stringMatching(/evil\.example is not allowed.*`hosts`/),
    });
    expect(await flock.store.getByType(Idea)).toHaveLength(1);
  });

  it.for(["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil", "a/b@localhost", "1 2"])(
    "as %s",
    async (host) => {
      const { ask } = await served();
      expect((await ask(host, "/api/v1/plugin/artifacts")).status).toBe(403);
    },
  );
});

describe("a server on loopback", () => {
  it.for([
    "localhost",
    "LOCALHOST",
    "127.0.0.1",
    "127.1.2.3",
    "[::1]",
    "flock.localhost",
    "localhost.",
    "a.b.localhost.",
    "192.168.1.5",
    "[fd00::5]",
  ])("for %s, on any port", async (name) => {
    const { ways } = await served();
    expect(await ways(name)).toEqual(ALL_IN);
    expect(await ways(`${name}:3000`)).toEqual(ALL_IN);
  });

  it("accepts the other loopback address", async () => {
    const { ways } = await served({ host: "::1" });
    expect(await ways("[::1]:80")).toEqual(ALL_IN);
    expect(await ways("evil.example")).toEqual(ALL_OUT);
  });

  it("accepts the names in `hosts`, case-insensitively, and no others", async () => {
    const { ways } = await served({ hosts: ["App.example.com"] });
    expect(await ways("app.example.com")).toEqual(ALL_IN);
    expect(await ways("APP.example.com:8443")).toEqual(ALL_IN);
    expect(await ways("www.app.example.com")).toEqual(ALL_OUT);
  });

  it("accepts absolute names, with a dot at the end, as the same names", async () => {
    const { ways } = await served({ hosts: ["app.example.com."] });
    expect(await ways("app.example.com")).toEqual(ALL_IN);
    expect(await ways("app.example.com.")).toEqual(ALL_IN);
    expect(await ways("evil.example.")).toEqual(ALL_OUT);
  });

  it.for(["localhost", "LOCALHOST.", "app.localhost", "[::1]", "[0:0:0:0:0:0:0:1]", "127.0.0.1"])(
    "accepts pages of %s on any port with each other's names for the same host",
    async (name) => {
      const { ask, port } = await served();
      const publish = JSON.stringify({ artifact_type: "Idea", payload: { text: "local" } });
      const origin = `http://${name}:5173`;
      expect((await ask(`${name}:${port}`, "/api/plugin/publish", { origin }, publish)).status).toBe(200);
    },
  );

  it("accepts the origins that a CORSComponent allows", async () => {
    const { ways } = await served({ components: [new CORSComponent({ allowOrigins: ["https://app.example.com"] })] });
    expect(await ways("app.example.com")).toEqual(ALL_IN);
    expect(await ways("evil.example")).toEqual(ALL_OUT);
  });
});

describe("a server on all interfaces", () => {
  it("accepts any name unless `hosts` is set", async () => {
    expect(await (await served({ host: "0.0.0.0" })).ways("flock.example.com")).toEqual(ALL_IN);
    const told = await served({ host: "0.0.0.0", hosts: ["flock.example.com"] });
    expect(await told.ways("flock.example.com")).toEqual(ALL_IN);
    expect(await told.ways("localhost")).toEqual(ALL_IN);
    expect(await told.ways("evil.example")).toEqual(ALL_OUT);
  });
});

describe("hosts", () => {
  it.for(["http://app.example.com", "app.example.com:80", "app.example.com/", "", "a b"])(
    "cannot be %j",
    async (host) => {
      await using flock = new Flock();
      await expect(flock.serve({ port: 0, hosts: [host] })).rejects.toMatchObject({ code: "invalid_options" });
    },
  );
});

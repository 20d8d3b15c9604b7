import { describe, expect, it } from "vitest";
import { z } from "zod";
import { RecordingSocket } from "../../../../../tests/support/recording-socket.ts";
import { artifact, Flock, type Identify, type Principal, visibility } from "../../index.ts";
import {
  ArtifactsComponent,
  CORSComponent,
  ControlRoutesComponent,
  HealthAndMetricsComponent,
  ServerComponent,
  type ServerContext,
  StaticFilesServerComponent,
  WebSocketServerComponent,
} from "../components/index.ts";

const Plan = artifact("Plan", z.object({ text: z.string() }));

/** Returns the principal of a request, on a route with authentication and on an open one. */
class Mirror extends ServerComponent {
  override readonly name = "mirror";
  override registerRoutes({ app, principalOf }: ServerContext): void {
    app.get("/me", (request) => principalOf(request));
    app.get("/open", { config: { isOpen: true } }, (request) => principalOf(request));
  }
}

const COMPONENTS = () => [
  new CORSComponent({ allowOrigins: ["https://good.example"] }),
  new HealthAndMetricsComponent(),
  new WebSocketServerComponent(),
  new ControlRoutesComponent(),
  new ArtifactsComponent(),
  new StaticFilesServerComponent({ folder: "docs" }),
  new Mirror(),
];

const byToken: Identify = async ({ headers }) => {
  if (headers.authorization === "anna") return { kind: "client", name: "anna", labels: ["x"], tenant: "acme" };
  if (headers.authorization === "root") return { kind: "owner" };
  if (headers.authorization === "broken") return { kind: "boss" } as never;
  if (headers.authorization === "thrown") throw new Error("the directory is down");
  return undefined;
};

async function served(principal?: Identify) {
  const flock = new Flock();
  flock.register(Plan);
  const server = await flock.serve({ port: 0, components: COMPONENTS(), ...(principal ? { principal } : {}) });
  const ask = (path: string, authorization?: string, init: RequestInit = {}) =>
    fetch(server.url + path, { ...init, headers: { ...init.headers, ...(authorization ? { authorization } : {}) } });
  const ws = `${server.url.replace("http", "ws")}/plugin/ws`;
  return { flock, ask, ws, [Symbol.asyncDispose]: () => flock.shutdown() };
}

describe("a server with `principal`", () => {
  it("refuses unknown clients on every route", async () => {
    await using site = await served(byToken);
    for (const path of [
      "/plugin/events",
      "/api/plugin/graph",
      "/api/plugin/artifact_types",
      "/api/v1/plugin/artifacts",
      "/metrics",
      "/me",
      "/plugin/ws",
    ]) {
      const response = await site.ask(path);
      expect(response.status, path).toBe(401);
      expect(await response.json()).toMatchObject({ error: { code: "not_authenticated" } });
    }
    const stream = await site.ask("/plugin/events", "unknown", { headers: { accept: "text/event-stream" } });
    expect(stream.status).toBe(401);
    const body = JSON.stringify({ artifact_type: "Plan", payload: { text: "t" } });
    const headers = { "content-type": "application/json" };
    expect((await site.ask("/api/plugin/publish", undefined, { method: "POST", body, headers })).status).toBe(401);
    expect(await RecordingSocket.refused(site.ws)).toMatchObject({ status: 401 });
  });

  it("does not authenticate routes that reveal nothing of the blackboard", async () => {
    await using site = await served(byToken);
    for (const path of ["/health", "/openapi.json", "/asyncapi.json", "/docs/", "/agents.md"])
      expect((await site.ask(path)).status, path).toBe(200);
  });

  it("answers preflight requests without authentication", async () => {
    await using site = await served(byToken);
    const response = await site.ask("/api/plugin/graph", undefined, {
      method: "OPTIONS",
      headers: { origin: "https://good.example", "access-control-request-method": "GET" },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get("access-control-allow-origin")).toBe("https://good.example");
  });

  it("refuses clients if `principal` throws or returns an invalid value", async () => {
    await using site = await served(byToken);
    expect((await site.ask("/api/plugin/graph", "broken")).status).toBe(500);
    expect((await site.ask("/api/plugin/graph", "thrown")).status).toBe(500);
    expect(await RecordingSocket.refused(site.ws, { headers: { authorization: "thrown" } })).toMatchObject({
      status: 500,
    });
  });

  it("passes the principal to custom components, except on open routes", async () => {
    await using site = await served(byToken);
    const anna: Principal = { kind: "client", name: "anna", labels: ["x"], tenant: "acme" };
    expect(await (await site.ask("/me", "anna")).json()).toEqual(anna);
    expect((await site.ask("/open", "anna")).status).toBe(500);
  });

  it("serves metrics to the owner only", async () => {
    await using site = await served(byToken);
    const refused = await site.ask("/metrics", "anna");
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ error: { code: "not_allowed" } });
    expect((await site.ask("/metrics", "root")).status).toBe(200);
  });

  it("keeps the principal of the handshake for a WebSocket, through all subscriptions", async () => {
    await using site = await served(byToken);
    await using socket = await RecordingSocket.open(site.ws, { headers: { authorization: "anna" } });
    await site.flock.publish(Plan({ text: "hidden" }), { visibility: visibility.tenant("umbrella") });
    await site.flock.publish(Plan({ text: "shown" }), { visibility: visibility.tenant("acme") });
    await socket.next("artifact_published");
    await socket.command({ id: 1, type: "subscribe", since: 0, filter: { types: ["artifact_published"] } });
    await socket.next("caught_up");
    expect(socket.all("artifact_published").map(({ payload }) => payload)).toEqual([
      { text: "shown" },
      { text: "shown" },
    ]);
  });
});

describe("a server without `principal`", () => {
  it("treats every client as the owner", async () => {
    await using site = await served();
    await site.flock.publish(Plan({ text: "hidden" }), { visibility: visibility.privateTo() });
    expect(await (await site.ask("/me")).json()).toEqual({ kind: "owner" });
    expect(await (await site.ask("/open")).json()).toEqual({ kind: "owner" });
    expect(await (await site.ask("/api/v1/plugin/artifacts")).json()).toMatchObject({ total: 1 });
    expect((await site.ask("/metrics")).status).toBe(200);
  });
});

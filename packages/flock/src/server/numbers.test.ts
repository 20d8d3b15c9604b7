import { describe, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { RawSocket } from "../../../../tests/support/raw-socket.ts";
import { artifact, Flock } from "../index.ts";
import {
  ArtifactsComponent,
  ControlRoutesComponent,
  DeadLettersComponent,
  WebSocketServerComponent,
} from "./components/index.ts";

const Price = artifact("Price", z.object({ cents: z.number() }));

async function served() {
  const flock = new Flock().register(Price);
  onTestFinished(() => flock.shutdown());
  const server = await flock.serve({
    port: 0,
    components: [
      new WebSocketServerComponent(),
      new ArtifactsComponent(),
      new DeadLettersComponent(),
      new ControlRoutesComponent(),
    ],
  });
  return { flock, server };
}

describe("a number in a query", () => {
  it.for([
    ["/api/v1/plugin/artifacts", "limit"],
    ["/api/v1/plugin/artifacts", "offset"],
    ["/api/plugin/dead_letters", "limit"],
    ["/api/plugin/orphans", "limit"],
    ["/plugin/events", "after"],
    ["/plugin/events", "limit"],
    ["/plugin/events", "since"],
    ["/plugin/connections", "limit"],
  ] as const)("is decimal digits, or refused with its name: %s?%s", async ([path, name]) => {
    const { server } = await served();
    const query = async (value: string) => {
      const response = await fetch(`${server.url}${path}?${name}=${value}`);
      return { status: response.status, body: await response.json() };
    };
    for (const value of ["", "0x10", "1e3", "1.5", "%20", "%2B1", "NaN", "9007199254740993", `1&${name}=2`]) {
      expect(await query(value), value).toMatchObject({
        status: 400,
        body: { error: { code: "invalid_request", issues: [{ path: [name] }] } },
      });
    }
    expect((await query("10")).status).toBe(200);
  });
});

describe("a number that JSON cannot keep", () => {
  const big = "9007199254740993";

  it("is refused in the body of a request, with the path of its field", async () => {
    const { server, flock } = await served();
    const response = await fetch(`${server.url}/api/plugin/publish`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"artifact_type":"Price","payload":{"cents":${big}}}`,
    });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { message: expect.stringContaining(`payload.cents: the number ${big}`) } },
    ]);
    expect(await flock.store.getByType(Price)).toEqual([]);
  });

  it.for([
    ["payload.cents", `{"id":1,"type":"publish","artifact_type":"Price","payload":{"cents":${big}}}`],
    ["since", `{"id":1,"type":"subscribe","since":${big}}`],
    ["id", `{"id":${big},"type":"ping"}`],
  ] as const)("is refused in a command: %s", async ([path, command]) => {
    const { server } = await served();
    await using raw = await RawSocket.open(`${server.url.replace("http", "ws")}/plugin/ws`);
    await raw.message("hello");
    raw.sendFrame(command);
    expect(await raw.message("error")).toMatchObject({
      message: expect.stringContaining(`${path}: the number ${big}`),
    });
  });

  it.for(['""', '"0x10"', '"10"', "1.5"])("as `since` of a command can only be an integer, not %s", async (since) => {
    const { server } = await served();
    await using raw = await RawSocket.open(`${server.url.replace("http", "ws")}/plugin/ws`);
    await raw.message("hello");
    raw.sendFrame(`{"id":1,"type":"subscribe","since":${since}}`);
    expect(await raw.message("reply")).toMatchObject({ ok: false, error: { issues: [{ path: ["since"] }] } });
  });
});

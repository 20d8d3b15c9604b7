import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { Flock } from "../../index.ts";
import { CORSComponent, type CORSConfig, ControlRoutesComponent, WebSocketServerComponent } from "./index.ts";

async function serving(config: CORSConfig | undefined) {
  const flock = new Flock();
  const server = await flock.serve({
    components: [
      ...(config ? [new CORSComponent(config)] : []),
      new WebSocketServerComponent(),
      new ControlRoutesComponent(),
    ],
    port: 0,
  });
  const upgrade = (origin: string | undefined) =>
    new Promise<number>((resolve) => {
      const socket = new WebSocket(
        `${server.url.replace("http", "ws")}/plugin/ws`,
        origin === undefined ? {} : { origin },
      );
      socket.on("open", () => {
        resolve(101);
        socket.close();
      });
      socket.on("unexpected-response", (_, response) => resolve(response.statusCode ?? 0));
      socket.on("error", () => {});
    });
  const allowed = async (origin: string) =>
    (await fetch(`${server.url}/api/plugin/graph`, { headers: { origin } })).headers.get("access-control-allow-origin");
  return { server, upgrade, allowed, [Symbol.asyncDispose]: () => flock.shutdown() };
}

describe("a page of another origin", () => {
  it("is refused without a CORSComponent; programs and pages of the same host are not", async () => {
    await using site = await serving(undefined);
    expect(await site.allowed("http://a.example")).toBeNull();
    expect(await site.upgrade("http://a.example")).toBe(403);
    expect(await site.upgrade("null")).toBe(403);
    expect(await site.upgrade(undefined)).toBe(101);
    expect(await site.upgrade("http://127.0.0.1:3000")).toBe(101);
  });

  it("is allowed over HTTP and WebSocket if its origin is listed", async () => {
    await using site = await serving({ allowOrigins: ["http://a.example"], allowCredentials: true });
    expect(await site.allowed("http://a.example")).toBe("http://a.example");
    expect(await site.allowed("http://b.example")).toBeNull();
    expect(await site.upgrade("http://a.example")).toBe(101);
    expect(await site.upgrade("http://b.example")).toBe(403);
  });

  it.for([
    ["https://app.example/", "https://app.example"],
    ["HTTPS://App.Example", "https://app.example"],
    ["https://app.example:443", "https://app.example"],
    ["http://app.example:80/", "http://app.example"],
    ["http://app.example:8080/", "http://app.example:8080"],
    ["http://[0:0::1]:3000", "http://[::1]:3000"],
    ["https://müller.example", "https://xn--mller-kva.example"],
    ["capacitor://localhost", "capacitor://localhost"],
  ] as const)("is allowed if %s is listed and the browser sends %s", async ([listed, sent]) => {
    await using site = await serving({ allowOrigins: [listed] });
    expect(await site.allowed(sent)).toBe(sent);
    expect(await site.upgrade(sent)).toBe(101);
    expect(await site.upgrade(`${sent}0`)).toBe(403);
  });

  it("is allowed if its whole origin matches the pattern", async () => {
    await using site = await serving({ allowOriginRegex: "https://[a-z]+\\.example\\.com" });
    expect(await site.upgrade("https://app.example.com")).toBe(101);
    expect(await site.upgrade("https://app.example.com.evil.org")).toBe(403);
  });

  it("is allowed with `*`", async () => {
    await using site = await serving({ allowOrigins: ["*"] });
    expect(await site.allowed("http://any.example")).toBe("*");
    expect(await site.upgrade("http://any.example")).toBe(101);
  });

  it("receives methods, headers and cache time in a preflight response", async () => {
    await using site = await serving({
      allowOrigins: ["http://a.example"],
      allowHeaders: ["X-Mine"],
      allowCredentials: true,
      maxAge: 60,
    });
    const { headers, status } = await fetch(`${site.server.url}/api/plugin/publish`, {
      method: "OPTIONS",
      headers: {
        origin: "http://a.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "x-mine",
      },
    });
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-origin")).toBe("http://a.example");
    expect(headers.get("access-control-allow-credentials")).toBe("true");
    expect(headers.get("access-control-allow-headers")).toBe("X-Mine");
    expect(headers.get("access-control-allow-methods")).toMatch(/POST/);
    expect(headers.get("access-control-max-age")).toBe("60");
  });
});

describe("CORSComponent refuses", () => {
  it("`*` with credentials", () => {
    expect(() => new CORSComponent({ allowOrigins: ["*"], allowCredentials: true })).toThrow(/cookies of its visitors/);
  });

  it.for([
    "https://app.example/page",
    "https://app.example//",
    "https://a@app.example",
    "app.example",
    "https://",
    "",
    "https://app.example?",
  ])("%j as an origin", (origin) => {
    expect(() => new CORSComponent({ allowOrigins: [origin] })).toThrow(/is not an origin: use scheme/);
  });

  it("an origin with a path, and an invalid pattern", () => {
    expect(() => new CORSComponent({ allowOrigins: ["http://a.example/page"] })).toThrow(/is not an origin/);
    expect(() => new CORSComponent({ allowOriginRegex: "(" })).toThrow(/allowOriginRegex/);
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Flock, type FlockServer } from "../../index.ts";
import { AgentsServerComponent, HealthAndMetricsComponent, StaticFilesServerComponent } from "./index.ts";

let parent: string;
let flock: Flock;
let server: FlockServer;

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), "flock-static-"));
  const folder = join(parent, "site");
  mkdirSync(join(folder, "assets"), { recursive: true });
  mkdirSync(join(folder, "health"), { recursive: true });
  writeFileSync(join(parent, "secret.txt"), "secret");
  writeFileSync(join(folder, ".env"), "secret");
  writeFileSync(join(folder, "index.html"), "<h1>home</h1>");
  writeFileSync(join(folder, "health", "index.html"), "a file in the way");
  writeFileSync(join(folder, "assets", "app-B3kq9xYz.js"), "1");
  writeFileSync(join(folder, "assets", "big-C4lr0yZa.js"), "big");
  writeFileSync(join(folder, "assets", "big-C4lr0yZa.js.br"), brotliCompressSync("big"));
  writeFileSync(join(folder, "assets", "big-C4lr0yZa.js.gz"), gzipSync("big"));
  flock = new Flock();
  server = await flock.serve({
    components: [
      new StaticFilesServerComponent({ folder, priority: 0 }),
      new StaticFilesServerComponent({ folder, prefix: "/files", name: "files", spaFallback: false }),
      new AgentsServerComponent(),
      new HealthAndMetricsComponent(),
    ],
    port: 0,
  });
});
afterAll(async () => {
  await flock.shutdown();
  rmSync(parent, { recursive: true });
});

const page = (path: string) => fetch(server.url + path, { headers: { accept: "text/html,*/*" } });

/** Sends a request with a path that is not normalized on the way. */
function raw(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    connect(server.port, "127.0.0.1")
      .on("data", (chunk) => (answer += chunk))
      .on("end", () => resolve(answer))
      .on("error", reject)
      .end(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n`);
  });
}

describe("StaticFilesServerComponent", () => {
  it.for([
    ["/", "./app.js"],
    ["/runs", "./app.js"],
    ["/runs/", "../app.js"],
    ["/runs/id/step?seq=1", "../../app.js"],
    ["/spa", "./spa/app.js"],
    ["/spa/", "./app.js"],
    ["/spa/runs/id", "../app.js"],
  ] as const)("serves a page at %s whose relative URLs begin at its folder", async ([path, script]) => {
    const folder = mkdtempSync(join(parent, "relative-"));
    writeFileSync(join(folder, "index.html"), '<script src="./app.js"></script>');
    writeFileSync(join(folder, "app.js"), "1");
    await using other = new Flock();
    const { url } = await other.serve({
      components: [
        new StaticFilesServerComponent({ folder }),
        new StaticFilesServerComponent({ folder, prefix: "/spa", name: "spa" }),
      ],
      port: 0,
    });
    const response = await fetch(url + path, { headers: { accept: "text/html" } });
    expect(response.headers.get("content-type")).toMatch(/^text\/html/);
    const html = await response.text();
    expect(html).toBe(`<script src="${script}"></script>`);
    expect((await fetch(new URL(script, url + path))).headers.get("content-type")).toMatch(/javascript/);
  });

  it("serves the index at the prefix, and files by name with suitable caching", async () => {
    const home = await page("/");
    expect([home.status, await home.text()]).toEqual([200, "<h1>home</h1>"]);
    expect(home.headers.get("cache-control")).toBe("no-cache");
    const asset = await page("/assets/app-B3kq9xYz.js");
    expect(asset.headers.get("content-type")).toMatch(/javascript/);
    expect(asset.headers.get("cache-control")).toMatch(/immutable/);
    expect(await (await page("/files/assets/app-B3kq9xYz.js")).text()).toBe("1");
  });

  it.for([
    ["gzip, deflate, br", "br"],
    ["gzip", "gzip"],
    ["identity", null],
  ] as const)("serves the compressed file next to it if the client accepts %s", async ([accepted, encoding]) => {
    const asset = await fetch(`${server.url}/assets/big-C4lr0yZa.js`, { headers: { "accept-encoding": accepted } });
    expect(asset.headers.get("content-encoding")).toBe(encoding);
    expect(asset.headers.get("content-type")).toMatch(/javascript/);
    expect(asset.headers.get("cache-control")).toMatch(/immutable/);
    expect(asset.headers.get("vary")).toMatch(/accept-encoding/i);
    expect(await asset.text()).toBe("big");
  });

  it("returns the index for other paths that a browser navigates to", async () => {
    expect(await (await page("/runs/12")).text()).toBe("<h1>home</h1>");
    expect((await fetch(`${server.url}/runs/12`)).status).toBe(404);
    expect((await page("/files/nothing")).status).toBe(404);
  });

  it("does not override routes of other components, regardless of priority", async () => {
    expect(await (await page("/health")).json()).toEqual({ status: "ok" });
    expect(await (await page("/api/v1/plugin/agents")).json()).toEqual({ agents: [] });
    expect((await page("/api/v1/plugin/typing-error")).status).toBe(404);
  });
});

describe("a path outside the folder or to a hidden file", () => {
  it.for([
    "/../secret.txt",
    "/..%2fsecret.txt",
    "/%2e%2e/secret.txt",
    "/%2e%2e%2fsecret.txt",
    "/assets/../../secret.txt",
    "/..%5csecret.txt",
    "/.env",
    "/%2eenv",
    "/files/../../secret.txt",
    "/index.html%00.txt",
  ])("is not served: %s", async (path) => {
    const answer = await raw(path);
    expect(answer).not.toMatch(/secret$/);
    expect(answer).toMatch(/^HTTP\/1\.1 (404|400) /);
  });

  it("refuses a folder that does not exist", () => {
    expect(() => new StaticFilesServerComponent({ folder: "/no/such/folder" })).toThrow(
      /the folder \/no\/such\/folder does not exist/,
    );
  });
});

import { afterEach, describe, expect, it, vi } from "vitest";
import { connectionUrl, fitsInUrl } from "./url.ts";

afterEach(() => vi.unstubAllGlobals());

describe("connectionUrl", () => {
  it("turns http into ws, https into wss, and removes the fragment", () => {
    expect(String(connectionUrl("http://h:1/ws#top", {}, undefined))).toBe("ws://h:1/ws");
    expect(String(connectionUrl("https://h/ws", {}, undefined))).toBe("wss://h/ws");
    expect(String(connectionUrl(new URL("wss://h/ws"), {}, undefined))).toBe("wss://h/ws");
  });

  it("adds filter and position, and keeps other parameters", () => {
    const filter = { types: ["graph_updated" as const, "agent_paused" as const], agents: ["a b"], run_id: undefined };
    const url = connectionUrl("ws://h/ws?ticket=t", filter as never, { since: -5, epoch: undefined });
    expect(Object.fromEntries(url.searchParams)).toEqual({
      ticket: "t",
      types: "graph_updated,agent_paused",
      agents: "a b",
      since: "-5",
    });
  });

  it.for([
    [{ agents: ["chef", "waiter 2"] }, true],
    [{ agents: ["a,b"] }, false],
    [{ agents: [" a"] }, false],
    [{ agents: [""] }, false],
    [{ correlation_id: "\ud83d" }, false],
    [{ correlation_id: "🍕" }, true],
    [{ agents: Array.from({ length: 100 }, (_, index) => `an agent with a long name ${index}`) }, false],
  ] as const)("puts %j into the URL: %s", ([filter, fits]) => {
    expect(fitsInUrl(filter as never)).toBe(fits);
    const url = connectionUrl("ws://h/ws?ticket=t", filter as never, { since: 5, epoch: "e" });
    if (fits) expect(url.searchParams.get("since")).toBe("5");
    else expect(Object.fromEntries(url.searchParams)).toEqual({ ticket: "t", run_id: "-" });
    expect(url.href.length).toBeLessThan(2_000);
  });

  it("resolves a relative URL against the page, and throws without one", () => {
    expect(() => connectionUrl("/ws", {}, undefined)).toThrow(TypeError);
    vi.stubGlobal("location", { href: "https://page.example/some/where" });
    expect(String(connectionUrl("/ws", {}, undefined))).toBe("wss://page.example/ws");
  });
});

import { type ControlMessage, type FlockEvent, PROTOCOL_VERSION } from "@flock-ts/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeSocket, fakeWebSocket, hello, outputEvent } from "../fake-socket.ts";
import { Connection, type ConnectionDeps, type ConnectionOptions, INITIAL_STATE, PROTOCOL } from "./connection.ts";
import { Cursor } from "./cursor.ts";
import { FlockClientError } from "./errors.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  vi.spyOn(Math, "random").mockReturnValue(0.5);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

/** A connection that is started, the sockets it opened, and a log of what happened to it. */
function setUp(options: ConnectionOptions = {}, cursor = new Cursor(), deps: Partial<ConnectionDeps> = {}) {
  const { WebSocket, sockets } = fakeWebSocket();
  const log: string[] = [];
  const delivered: (ControlMessage | FlockEvent)[] = [];
  const connection = new Connection(
    {
      cursor,
      url: () => new URL(`ws://h/ws?since=${cursor.position?.since ?? "now"}`),
      hasFreshUrls: false,
      lateFilter: () => undefined,
      deliver: (message) => {
        delivered.push(message);
        log.push(`deliver ${message.type}`);
      },
      disconnected: () => log.push("disconnected"),
      closed: (reason) => log.push(`closed ${reason}`),
      onError: (error) => log.push(`error ${(error as Error).message}`),
      ...deps,
    },
    { WebSocket, ...options },
  );
  connection.subscribe(() => log.push(`${connection.state.status} at ${cursor.seq}`));
  connection.start();
  return { connection, cursor, delivered, log, sockets, last: () => sockets.at(-1) as FakeSocket };
}

describe("states", () => {
  it("go from connecting over catching-up to live, and report what hello said", () => {
    const { connection, last } = setUp({}, new Cursor({ since: 3 }));
    expect(connection.state).toEqual({ ...INITIAL_STATE, attempt: 1 });
    last().hello({ epoch: "one", head: 9, limited: true } as never);
    expect(connection.state).toEqual({
      ...INITIAL_STATE,
      status: "catching-up",
      attempt: 1,
      epoch: "one",
      connectionId: "c1",
      head: 9,
      limited: true,
    });
    last().receive({ type: "caught_up", seq: 9 });
    expect(connection.state.status).toBe("live");
    last().receive({ type: "ping", head: 12 });
    expect(connection.state.head).toBe(12);
  });

  it("go to live at once if the client starts at the head, and to catching-up when it resumes", () => {
    const { connection, last } = setUp();
    last().hello({ head: 9 });
    expect(connection.state.status).toBe("live");
    last().lose();
    connection.retryNow();
    expect(last().url).toBe("ws://h/ws?since=9");
    last().hello({ head: 10 });
    expect(connection.state.status).toBe("catching-up");
  });

  it("are new objects for each change, and are not reported after unsubscribing", () => {
    const { connection, last } = setUp();
    const before = connection.state;
    const listener = vi.fn();
    const stop = connection.subscribe(listener);
    last().hello();
    expect(connection.state).not.toBe(before);
    expect(listener).toHaveBeenCalledOnce();
    stop();
    last().receive({ type: "ping", head: 1 });
    expect(listener).toHaveBeenCalledOnce();
  });

  it("name the reason of a disconnect, and clear it with the next connection", () => {
    const { connection, last } = setUp();
    last().lose(1006);
    expect(connection.state.reason).toBe("Connection lost (code 1006).");
    connection.retryNow();
    last().hello();
    expect(connection.state.reason).toBeNull();
    last().lose(1001, "restarting");
    expect(connection.state.reason).toBe("restarting");
  });
});

describe("invariants", () => {
  it("1: uses one socket, and ignores messages of an abandoned one", () => {
    const { connection, delivered, sockets, last } = setUp({ silenceMs: 400 });
    last().hello();
    const [first] = sockets as [FakeSocket];
    vi.advanceTimersByTime(400);
    expect(connection.state.status).toBe("waiting");
    expect(first.readyState).toBe(3);
    expect([first.onmessage, first.onclose]).toEqual([null, null]);
    connection.retryNow();
    connection.retryNow();
    expect(sockets).toHaveLength(2);
    const count = delivered.length;
    first.receive({ type: "ping", head: 5 });
    expect(delivered).toHaveLength(count);
  });

  it("2: schedules a retry only while waiting, at retryAt", () => {
    const { connection, sockets, last } = setUp();
    last().lose();
    expect(connection.state).toMatchObject({ status: "waiting", retryAt: NOW + 250 });
    vi.advanceTimersByTime(249);
    expect(sockets).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(sockets).toHaveLength(2);
    expect(connection.state).toMatchObject({ status: "connecting", retryAt: null });
    last().lose();
    connection.retryNow();
    last().hello();
    vi.advanceTimersByTime(30_000);
    expect(sockets).toHaveLength(3);
  });

  it("2: retries at once when the browser goes online", () => {
    const target = new EventTarget();
    vi.stubGlobal("addEventListener", target.addEventListener.bind(target));
    vi.stubGlobal("removeEventListener", target.removeEventListener.bind(target));
    const { connection, sockets, last } = setUp();
    target.dispatchEvent(new Event("online"));
    expect(sockets).toHaveLength(1);
    last().lose();
    target.dispatchEvent(new Event("online"));
    expect(sockets).toHaveLength(2);
    last().lose();
    connection.close(null);
    target.dispatchEvent(new Event("online"));
    expect(sockets).toHaveLength(2);
  });

  it.for(["connecting", "live", "waiting"])("3: leaves nothing behind when it is closed while %s", (status) => {
    const { connection, log, sockets, last } = setUp();
    if (status === "live") last().hello();
    if (status === "waiting") last().lose();
    expect(connection.state.status).toBe(status);
    connection.close("enough");
    connection.close("twice");
    expect(connection.state).toMatchObject({ status: "closed", reason: "enough", retryAt: null });
    expect(log.filter((line) => line.startsWith("closed"))).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
    expect(last().readyState).toBe(3);
    connection.retryNow();
    vi.advanceTimersByTime(600_000);
    expect(sockets).toHaveLength(1);
    expect(connection.isReady).toBe(false);
  });

  it.for(["connecting", "catching-up", "waiting"] as const)(
    "3: stays closed if a listener closes it on %s",
    (status) => {
      const cursor = new Cursor({ since: 0 });
      const { connection, sockets, last } = setUp({}, cursor);
      connection.subscribe(() => {
        if (connection.state.status === status) connection.close(null);
      });
      if (status === "catching-up") last().hello();
      else {
        last().lose();
        connection.retryNow();
      }
      expect(connection.state.status).toBe("closed");
      expect(sockets.every(({ readyState }) => readyState === 3)).toBe(true);
      vi.advanceTimersByTime(600_000);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  it("3: closes permanently after a code that forbids a retry", () => {
    const { connection, log, last } = setUp();
    last().lose(4403, "not allowed");
    expect(connection.state).toMatchObject({ status: "closed", reason: "not allowed" });
    expect(log.slice(-3)).toEqual(["disconnected", "closed at undefined", "closed not allowed"]);
  });

  it("4: moves the cursor, then changes the status, then delivers the message", () => {
    const { log, last } = setUp({}, new Cursor({ since: 0 }));
    last().hello({ head: 4 });
    log.length = 0;
    last().receive({ ...outputEvent(3) });
    last().receive({ type: "caught_up", seq: 4 });
    expect(log).toEqual(["deliver streaming_output", "live at 4", "deliver caught_up"]);
  });

  it("5: delivers each event once per log, and drops what is not JSON", () => {
    const { delivered, last } = setUp({}, new Cursor({ since: 0 }));
    last().hello();
    for (const seq of [1, 2, 2, 1, 3]) last().receive({ ...outputEvent(seq) });
    last().receiveText("rubbish");
    last().receive({ type: "gap", from_seq: 1, to_seq: 0, reason: "epoch" });
    last().receive({ ...outputEvent(1) });
    expect(delivered.map((message) => ("seq" in message ? message.seq : message.type))).toEqual([
      "hello",
      1,
      2,
      3,
      "gap",
      1,
    ]);
  });

  it("6: doubles the bound of a random delay up to maxMs", () => {
    const { connection, last } = setUp({ backoff: { minMs: 100, maxMs: 1_000 } });
    const delays = Array.from({ length: 6 }, () => {
      last().lose();
      const delay = (connection.state.retryAt ?? 0) - Date.now();
      vi.advanceTimersByTime(delay);
      return delay;
    });
    // Half of the bound, because Math.random() returns 0.5 here.
    expect(delays).toEqual([100, 200, 400, 500, 500, 500]);
  });

  it("6: starts two doublings later after a close code that says backoff", () => {
    const { connection, last } = setUp({ backoff: { minMs: 100, maxMs: 10_000 } });
    last().lose(1013);
    expect(connection.state.retryAt).toBe(NOW + 400);
  });

  it("6: waits as long as the close notice requests, once", () => {
    const { connection, last } = setUp();
    last().hello();
    last().receive({ type: "goodbye", reason: "maintenance", retry_after_ms: 60_000 });
    last().lose(1001);
    expect(connection.state).toMatchObject({ retryAt: NOW + 60_000, reason: "maintenance" });
    vi.advanceTimersByTime(60_000);
    last().lose();
    expect((connection.state.retryAt ?? 0) - Date.now()).toBe(500);
  });

  it.for([
    [5_000, 2],
    [5_001, 1],
  ] as const)("7: after a connection of %i ms, the next attempt is number %i", ([lasted, attempt]) => {
    const { connection, last } = setUp();
    last().hello();
    vi.advanceTimersByTime(lasted);
    last().lose();
    connection.retryNow();
    expect(connection.state.attempt).toBe(attempt);
  });

  it("8: sends a ping after half of the silence limit, and reconnects after all of it", () => {
    const { connection, last } = setUp({ silenceMs: 400 });
    const socket = last();
    socket.hello();
    vi.advanceTimersByTime(199);
    expect(socket.sent).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(socket.sent).toEqual([{ id: 0, type: "ping" }]);
    vi.advanceTimersByTime(199);
    expect(connection.state.status).toBe("live");
    vi.advanceTimersByTime(1);
    expect(connection.state).toMatchObject({ status: "waiting", reason: "Connection timed out." });
  });

  it("8: stays connected while messages arrive", () => {
    const { connection, last } = setUp({ silenceMs: 400 });
    last().hello();
    for (let i = 0; i < 20; i++) {
      vi.advanceTimersByTime(150);
      last().receive({ type: "ping", head: i });
    }
    expect(connection.state.status).toBe("live");
    expect(last().sent).toEqual([]);
  });

  it.for([
    [{ heartbeat_interval: 5 }, 10_000],
    [{ heartbeat_interval: null }, 60_000],
  ] as const)("8: takes the limit from hello: %o", ([said, limit]) => {
    const { connection, last } = setUp();
    last().hello(said);
    vi.advanceTimersByTime(limit - 1);
    expect(connection.state.status).toBe("live");
    vi.advanceTimersByTime(1);
    expect(connection.state.status).toBe("waiting");
  });

  it("9: sends only after hello, and only on an open socket", () => {
    const { connection, last } = setUp();
    last().readyState = 1;
    expect(connection.isReady).toBe(false);
    last().hello();
    expect(connection.isReady).toBe(true);
    last().readyState = 2;
    expect(connection.isReady).toBe(false);
    last().lose();
    connection.retryNow();
    last().readyState = 1;
    expect(connection.isReady).toBe(false);
  });
});

describe("invariants of attempts", () => {
  const stall = () => new Promise<URL>(() => {});

  it.for([
    ["the server's hello", {}],
    ["an address", { url: stall, hasFreshUrls: true }],
  ] as const)("10: gives up waiting for %s after the connect limit, and tries again", ([, deps]) => {
    const { connection } = setUp({ connectTimeoutMs: 400 }, new Cursor(), deps);
    vi.advanceTimersByTime(399);
    expect(connection.state.status).toBe("connecting");
    vi.advanceTimersByTime(1);
    expect(connection.state).toMatchObject({
      status: "waiting",
      reason: "Connection failed: no `hello` within 400 ms.",
      retryAt: NOW + 400 + 250,
    });
    vi.advanceTimersByTime(250);
    expect(connection.state).toMatchObject({ status: "connecting", attempt: 2 });
  });

  it("10: waits 15 seconds by default, longer than the server authenticates", () => {
    const { connection, last } = setUp();
    last().readyState = 1;
    vi.advanceTimersByTime(14_999);
    expect(connection.state.status).toBe("connecting");
    vi.advanceTimersByTime(1);
    expect(connection.state.status).toBe("waiting");
    expect(last().readyState).toBe(3);
  });

  it("10: accepts limits that no timer can hold", () => {
    const { connection, last } = setUp({ connectTimeoutMs: Number.POSITIVE_INFINITY, silenceMs: 2 ** 40 });
    vi.advanceTimersByTime(86_400_000);
    expect(connection.state.status).toBe("connecting");
    last().hello();
    vi.advanceTimersByTime(86_400_000);
    expect(connection.state.status).toBe("live");
    last().receive({ type: "goodbye", reason: "later", retry_after_ms: 2 ** 40 });
    last().lose();
    vi.advanceTimersByTime(86_400_000);
    expect(connection.state.status).toBe("waiting");
  });

  it.for([1000, 1001, 1005, 1006, 1008, 1009, 1011, 1012, 1013, 1015, 3000, 4000, 4408, 4429])(
    "11: reconnects after code %i, before and after hello",
    (code) => {
      const { connection, last } = setUp();
      last().lose(code);
      expect(connection.state.status).toBe("waiting");
      connection.retryNow();
      last().hello();
      last().lose(code);
      expect(connection.state.status).toBe("waiting");
    },
  );

  it.for([
    [4401, "not_authenticated"],
    [4403, "not_allowed"],
  ] as const)("11: closes after code %i with %s", ([code, error]) => {
    const { connection, last } = setUp();
    last().lose(code, "no");
    expect(connection.state).toMatchObject({ status: "closed", reason: "no", code: error });
  });

  it("11: closes if the server speaks another version of the contract", () => {
    const { connection, delivered, last } = setUp();
    last().hello({ protocol: 2 } as never);
    expect(connection.state).toMatchObject({
      status: "closed",
      code: "unsupported_protocol",
      reason:
        "Connection closed: the server speaks version 2 of the wire contract, and this client version 1. Update the older one.",
    });
    expect(delivered).toEqual([]);
    expect(PROTOCOL).toBe(PROTOCOL_VERSION);
  });

  it("11: tries again when the address function fails, and closes when it throws a FlockClientError", async () => {
    const answers = [new Error("no network"), new FlockClientError({ code: "signed_out", message: "Signed out." })];
    const url = async () => {
      throw answers.shift();
    };
    const { connection, sockets } = setUp({}, new Cursor(), { url, hasFreshUrls: true });
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.state).toMatchObject({ status: "waiting", reason: "no network" });
    await vi.advanceTimersByTimeAsync(250);
    expect(connection.state).toMatchObject({ status: "closed", reason: "Signed out.", code: "signed_out" });
    expect(sockets).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("3: opens no socket for an address that arrives after close()", async () => {
    const { promise, resolve } = Promise.withResolvers<URL>();
    const { connection, sockets } = setUp({}, new Cursor(), { url: () => promise, hasFreshUrls: true });
    connection.close(null);
    resolve(new URL("ws://h/ws"));
    await vi.runAllTimersAsync();
    expect(sockets).toEqual([]);
    expect(connection.state.status).toBe("closed");
  });

  it("3: delivers nothing after a listener of the state has closed it", () => {
    const { connection, delivered, last } = setUp({}, new Cursor({ since: 0 }));
    connection.subscribe(() => connection.state.status === "live" && connection.close(null));
    last().hello();
    last().receive({ type: "caught_up", seq: 0 });
    expect(delivered.map(({ type }) => type)).toEqual(["hello"]);
  });
});

describe("refused handshakes", () => {
  /** Answers the question why a handshake failed. */
  const answering = (status: number, body: unknown) =>
    vi.fn(async (_url: unknown, _init?: unknown) => Response.json(body, { status }));
  const error = (code: string) => ({ error: { code, message: `because of ${code}` } });

  it.for([
    [401, error("not_authenticated"), "not_authenticated"],
    [404, error("not_found"), "not_found"],
    [400, error("invalid_request"), "invalid_request"],
    [403, error("origin_not_allowed"), "origin_not_allowed"],
    [401, "a login page", "http_401"],
  ] as const)("close with the reason for HTTP status %i and %j", async ([status, body, code]) => {
    const fetch = answering(status, body);
    const { connection, last } = setUp({ fetch: fetch as never });
    last().lose();
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.state).toMatchObject({ status: "closed", code });
    if (typeof body !== "string") expect(connection.state.reason).toBe(body.error.message);
    expect(String(fetch.mock.calls[0]?.[0])).toBe("http://h/ws?since=now");
    expect(fetch.mock.calls[0]?.[1]).toMatchObject({ credentials: "include" });
    expect(vi.getTimerCount()).toBe(0);
  });

  it.for([
    [503, error("shutting_down"), "shutting_down", "because of shutting_down"],
    [429, error("too_many_requests"), "too_many_requests", "because of too_many_requests"],
    [404, "a proxy without a backend", "http_404", "Connection refused: HTTP status 404."],
    [403, {}, "http_403", "Connection refused: HTTP status 403."],
    [502, null, "http_502", "Connection refused: HTTP status 502."],
  ] as const)("keep trying after HTTP status %i and %j, and name it", async ([status, body, code, reason]) => {
    const { connection, last } = setUp({ fetch: answering(status, body) as never });
    last().lose();
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.state).toMatchObject({ status: "waiting", code, reason });
    connection.retryNow();
    last().hello();
    expect(connection.state).toMatchObject({ status: "live", code: null, reason: null });
  });

  it.for([
    [401, "closed"],
    [404, "waiting"],
    [503, "waiting"],
  ] as const)("are named by the npm package ws: status %i, %s", async ([code, status]) => {
    const { connection, last } = setUp();
    last().onerror?.({ message: `Unexpected server response: ${code}` });
    last().lose();
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.state).toMatchObject({
      status,
      code: `http_${code}`,
      reason: `Connection refused: HTTP status ${code}.`,
    });
    if (status === "closed") return;
    connection.retryNow();
    last().lose();
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.state.code).toBeNull();
  });

  it("are asked about without reading a page that never ends", async () => {
    const cancel = vi.fn();
    const fetch = async () => new Response(new ReadableStream({ cancel }));
    const { connection, last } = setUp({ fetch: fetch as never });
    last().lose();
    await vi.advanceTimersByTimeAsync(0);
    expect(cancel).toHaveBeenCalledOnce();
    expect(connection.state).toMatchObject({
      status: "waiting",
      code: "http_200",
      reason: expect.stringContaining("Check its path"),
    });
  });

  it("are not asked about after a hello, or if the application brings its own WebSocket only", async () => {
    const fetch = answering(401, error("not_authenticated"));
    const { connection, last } = setUp({ fetch: fetch as never });
    last().hello();
    last().lose();
    expect(fetch).not.toHaveBeenCalled();
    vi.stubGlobal("fetch", fetch);
    const other = setUp();
    other.last().lose();
    await vi.advanceTimersByTimeAsync(0);
    expect(fetch).not.toHaveBeenCalled();
    expect([connection.state.status, other.connection.state.status]).toEqual(["waiting", "waiting"]);
  });

  it("of an address function are final only if an unused address is refused, too", async () => {
    let tickets = 0;
    const url = async () => new URL(`ws://h/ws?ticket=${++tickets}`);
    const fetch = answering(401, error("not_authenticated"));
    const { connection, sockets, last } = setUp({ fetch: fetch as never }, new Cursor(), { url, hasFreshUrls: true });
    await vi.advanceTimersByTimeAsync(0);
    last().lose();
    await vi.advanceTimersByTimeAsync(250);
    expect(fetch).not.toHaveBeenCalled();
    expect(sockets.map((socket) => socket.url)).toEqual(["ws://h/ws?ticket=1", "ws://h/ws?ticket=2"]);
    last().lose();
    await vi.advanceTimersByTimeAsync(0);
    expect(String(fetch.mock.calls[0]?.[0])).toBe("http://h/ws?ticket=3");
    expect(connection.state).toMatchObject({ status: "closed", code: "not_authenticated" });
  });

  it("do not disturb a connection that has succeeded in the meantime", async () => {
    const { promise, resolve } = Promise.withResolvers<Response>();
    const { connection, last } = setUp({ fetch: (() => promise) as never });
    last().lose();
    connection.retryNow();
    last().hello();
    resolve(Response.json(error("not_found"), { status: 404 }));
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.state).toMatchObject({ status: "live", code: null });
  });
});

describe("a page", () => {
  /** Replaces the globals of a page. */
  const openPage = () => {
    const window = new EventTarget();
    vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
    vi.stubGlobal("removeEventListener", window.removeEventListener.bind(window));
    const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
    vi.stubGlobal("document", document);
    return { window, document };
  };

  it.for(["online", "pageshow", "visibilitychange"])("lets a waiting client connect at once on %s", (type) => {
    const { window, document } = openPage();
    const { connection, sockets, last } = setUp();
    const emit = () => (type === "visibilitychange" ? document : window).dispatchEvent(new Event(type));
    emit();
    expect(sockets).toHaveLength(1);
    last().lose();
    document.visibilityState = "hidden";
    emit();
    expect(connection.state.status).toBe("waiting");
    document.visibilityState = "visible";
    emit();
    expect(sockets).toHaveLength(2);
    last().lose();
    connection.close(null);
    emit();
    expect(sockets).toHaveLength(2);
  });

  it("keeps a connection on offline, because a local server stays reachable", () => {
    const { window } = openPage();
    const { connection, last } = setUp();
    last().hello();
    window.dispatchEvent(new Event("offline"));
    expect(connection.state.status).toBe("live");
    expect(last().readyState).toBe(1);
  });

  it("lets a connected client expect a sign of life within 5 seconds, and reconnect without one", () => {
    const { window } = openPage();
    const { connection, last } = setUp({ silenceMs: 60_000 });
    last().hello();
    const first = last();
    window.dispatchEvent(new Event("online"));
    expect(first.sent).toEqual([{ id: 0, type: "ping" }]);
    first.receive({ type: "reply", id: 0, ok: true, seq: 0 });
    vi.advanceTimersByTime(20_000);
    expect(connection.state.status).toBe("live");
    window.dispatchEvent(new Event("online"));
    vi.advanceTimersByTime(20_000);
    expect(first.readyState).toBe(3);
  });

  it("reconnects at once after a standby that was longer than the silence limit", () => {
    const { window } = openPage();
    const { connection, sockets, last } = setUp({ silenceMs: 60_000 });
    last().hello();
    vi.setSystemTime(NOW + 3_600_000);
    window.dispatchEvent(new Event("pageshow"));
    expect(sockets).toHaveLength(2);
    expect(connection.state.status).toBe("connecting");
  });

  it("notices silence although the clock of the device was set back", () => {
    const { connection, last } = setUp({ silenceMs: 400 });
    last().hello();
    vi.setSystemTime(NOW - 3_600_000);
    vi.advanceTimersByTime(400);
    expect(connection.state).toMatchObject({ status: "waiting", reason: "Connection timed out." });
  });
});

describe("a filter that is sent after hello", () => {
  const filter = { agents: ["a,b"] };

  it("continues at the cursor of each connection, and the client catches up before it is live", () => {
    const { connection, last } = setUp({}, new Cursor(), { lateFilter: () => filter });
    last().hello({ epoch: "one", head: 7 });
    expect(last().sent).toEqual([{ id: -1, type: "subscribe", filter, since: 7, epoch: "one" }]);
    expect(connection.state.status).toBe("catching-up");
    last().receive({ type: "reply", id: -1, ok: true, seq: 7 });
    last().receive({ type: "caught_up", seq: 7 });
    expect(connection.state.status).toBe("live");
    last().receive({ ...outputEvent(8) });
    last().lose();
    connection.retryNow();
    last().hello({ epoch: "two", head: 2 });
    expect(last().sent).toEqual([{ id: -1, type: "subscribe", filter, since: 8, epoch: "one" }]);
  });

  it("closes the connection if it is invalid, and reconnects if the server failed", () => {
    const { connection, last } = setUp({}, new Cursor(), { lateFilter: () => filter });
    last().hello();
    last().receive({ type: "reply", id: -1, ok: false, seq: 0, error: { code: "internal", message: "Oops." } });
    expect(connection.state).toMatchObject({ status: "waiting", reason: "Oops." });
    connection.retryNow();
    last().hello();
    last().receive({ type: "reply", id: -1, ok: false, seq: 0, error: { code: "invalid_message", message: "No." } });
    expect(connection.state).toMatchObject({ status: "closed", reason: "No.", code: "invalid_message" });
  });
});

describe("head", () => {
  it("is the newest seq of events, replies and reports, and starts over with a new log", () => {
    const { connection, last } = setUp({}, new Cursor({ since: 0 }));
    last().hello({ head: 2 });
    last().receive({ ...outputEvent(3) });
    expect(connection.state.head).toBe(3);
    expect(connection.state).toBe(connection.state);
    last().receive({ type: "reply", id: 1, ok: true, seq: 9 });
    last().receive({ type: "ping", head: 8 });
    last().receive({ type: "caught_up", seq: 5 });
    expect(connection.state.head).toBe(9);
    last().lose();
    connection.retryNow();
    last().hello({ epoch: "two", head: 1 });
    expect(connection.state.head).toBe(1);
  });
});

describe("messages", () => {
  it("that are no objects are ignored", () => {
    const { connection, delivered, last } = setUp();
    last().hello();
    for (const text of ["null", "5", '"text"', "[]", "{}", '{"type":1}']) last().receiveText(text);
    expect(delivered).toHaveLength(1);
    expect(connection.state.status).toBe("live");
  });

  it("that break the contract end the connection with the reason, and the next one continues after them", () => {
    const deliver = ({ type }: { type: string }) => {
      if (type === "streaming_output") throw new TypeError("no `content`");
    };
    const { connection, last } = setUp({}, new Cursor({ since: 0 }), { deliver });
    last().hello();
    last().receive({ type: "streaming_output", seq: 7 });
    expect(connection.state).toMatchObject({
      status: "waiting",
      reason: expect.stringMatching(/cannot read a message `streaming_output` of the server: .*no `content`/),
    });
    connection.retryNow();
    expect(last().url).toBe("ws://h/ws?since=7");
    last().hello();
    expect(connection.state.status).toBe("catching-up");
  });

  it("that break the contract after close() do not connect again", () => {
    const { connection, last } = setUp({}, new Cursor({ since: 0 }), {
      deliver: ({ type }) => {
        if (type !== "streaming_output") return;
        connection.close(null);
        throw new TypeError("no `content`");
      },
    });
    last().hello();
    last().receive({ type: "streaming_output", seq: 7 });
    expect(connection.state.status).toBe("closed");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("with a refusal without a code are a failure of the server", () => {
    const { connection, last } = setUp({}, new Cursor(), { lateFilter: () => ({ agents: ["a,b"] }) });
    last().hello();
    last().receive({ type: "reply", id: -1, ok: false, error: {} });
    expect(connection.state.status).toBe("waiting");
  });

  it.for(["5", null, -1, 0, 1.5, 1e308])("with the seq %j are no events, and do not move the cursor", (seq) => {
    const { delivered, cursor, last } = setUp();
    last().hello();
    last().receive({ ...outputEvent(1), seq });
    expect([delivered.length, cursor.seq]).toEqual([1, 0]);
  });
});

describe("listeners of the state", () => {
  it("that throw are reported, and disturb neither each other nor the connection", () => {
    const { connection, log, last } = setUp();
    const calls: string[] = [];
    connection.subscribe(() => {
      throw new Error("mine");
    });
    connection.subscribe(() => calls.push(connection.state.status));
    last().hello();
    last().lose();
    connection.retryNow();
    expect(calls).toEqual(["live", "waiting", "connecting"]);
    expect(log.filter((line) => line === "error mine")).toHaveLength(3);
  });
});

describe("hello", () => {
  it.for([0, -5, "x"])("with the heartbeat interval %j means no heartbeat", (heartbeat_interval) => {
    const { connection, last } = setUp();
    last().hello({ heartbeat_interval: heartbeat_interval as number });
    vi.advanceTimersByTime(59_000);
    expect(connection.state.status).toBe("live");
    vi.advanceTimersByTime(1_050);
    expect(connection.state.status).toBe("waiting");
  });

  it("can be repeated without a second watchdog", () => {
    const { last } = setUp();
    last().hello();
    last().receive({ ...hello("one") });
    expect(vi.getTimerCount()).toBe(1);
  });
});

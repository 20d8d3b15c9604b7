import type { ControlMessage, FlockEvent } from "@flock-ts/protocol";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type FakeSocket, fakeWebSocket, hello, outputEvent } from "../fake-socket.ts";
import { Connection, type ConnectionOptions, INITIAL_STATE } from "./connection.ts";
import { Cursor } from "./cursor.ts";

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
function setUp(options: ConnectionOptions = {}, cursor = new Cursor()) {
  const { WebSocket, sockets } = fakeWebSocket();
  const log: string[] = [];
  const delivered: (ControlMessage | FlockEvent)[] = [];
  const connection = new Connection(
    {
      cursor,
      url: () => new URL(`ws://h/ws?since=${cursor.position?.since ?? "now"}`),
      deliver: (message) => {
        delivered.push(message);
        log.push(`deliver ${message.type}`);
      },
      disconnected: () => log.push("disconnected"),
      closed: (reason) => log.push(`closed ${reason}`),
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
    expect(vi.getTimerCount()).toBe(0);
    last().lose();
    expect(connection.state).toMatchObject({ status: "waiting", retryAt: NOW + 250 });
    vi.advanceTimersByTime(249);
    expect(sockets).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(sockets).toHaveLength(2);
    expect(connection.state).toMatchObject({ status: "connecting", retryAt: null });
    expect(vi.getTimerCount()).toBe(0);
    last().lose();
    connection.retryNow();
    vi.advanceTimersByTime(60_000);
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
    expect(connection.send({})).toBe(false);
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
    expect(connection.send({ type: "ping" })).toBe(false);
    last().hello();
    expect(connection.send({ type: "ping" })).toBe(true);
    last().readyState = 2;
    expect(connection.send({ type: "ping" })).toBe(false);
    last().lose();
    connection.retryNow();
    last().readyState = 1;
    expect(connection.send({ type: "ping" })).toBe(false);
    expect(last().sent).toEqual([]);
  });
});

describe("hello", () => {
  it("can be repeated without a second watchdog", () => {
    const { last } = setUp();
    last().hello();
    last().receive({ ...hello("one") });
    expect(vi.getTimerCount()).toBe(1);
  });
});

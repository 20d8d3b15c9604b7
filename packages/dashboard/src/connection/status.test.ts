import type { ConnectionState } from "@flock-ts/client";
import { describe, expect, it } from "vitest";
import { connectionSummary, connectionWords, severityOf } from "./status.ts";

const base: ConnectionState = {
  status: "live",
  attempt: 1,
  retryAt: null,
  epoch: "e",
  connectionId: "c",
  head: 0,
  limited: false,
  reason: null,
  code: null,
};
const NOW = new Date(2026, 0, 1, 14, 5).getTime();
const input = (change: Partial<ConnectionState>, complete = true) => ({
  connection: { ...base, ...change },
  complete,
  last: 41_200,
  offlineSince: new Date(2026, 0, 1, 14, 2).getTime(),
});

describe("describes the connection", () => {
  it.for([
    [{ status: "live", head: 41_200 }, true, "Live"],
    [{ status: "live", head: 42_440 }, false, "Catching up: 1,240 events behind"],
    [{ status: "catching-up", head: 42_440 }, true, "Catching up: 1,240 events behind"],
    [{ status: "catching-up", head: 100 }, true, "Catching up"],
    [{ status: "connecting", epoch: null }, false, "Connecting"],
    [{ status: "connecting", epoch: null, attempt: 3 }, false, "Connecting (attempt 3)"],
    [{ status: "connecting" }, true, "Offline since 14:02, showing seq 41,200. Reconnecting"],
    [{ status: "waiting", retryAt: NOW + 2_400 }, true, "Offline since 14:02, showing seq 41,200. Reconnecting in 3 s"],
    [{ status: "closed" }, true, "Disconnected"],
  ] as const)("%j, complete %j: %s", ([change, complete, words]) => {
    expect(connectionWords(input(change, complete), NOW)).toBe(words);
  });

  it("the text for screen readers does not change during a wait", () => {
    expect(connectionSummary(input({ status: "waiting", retryAt: NOW + 9_000 }))).toBe(
      connectionSummary(input({ status: "connecting", attempt: 7 })),
    );
  });

  it("is live only when the tab has processed every event", () => {
    expect(severityOf(input({ status: "live" }, false))).toBe("busy");
    expect(connectionSummary(input({ status: "live" }, false))).toBe("Catching up");
  });
});

import type { ConnectionState } from "@flock/client";
import { describe, expect, it } from "vitest";
import { connectionSummary, connectionWords } from "./connection-words.ts";

const base: ConnectionState = { status: "live", attempt: 1, retryAt: null, epoch: "e", head: 0, reason: null };
const NOW = 1_000_000;

describe("the words for the connection are exact", () => {
  it.for([
    [{ status: "live", head: 10 }, "Live"],
    [{ status: "catching-up", head: 1_304 }, "Catching up: 1,204 behind"],
    [{ status: "catching-up", head: 100 }, "Catching up"],
    [{ status: "connecting", epoch: null }, "Connecting"],
    [{ status: "connecting", epoch: null, attempt: 3 }, "Connecting (attempt 3)"],
    [{ status: "connecting", attempt: 2 }, "Reconnecting (attempt 2)"],
    [{ status: "waiting", retryAt: NOW + 2_400 }, "Reconnecting in 3 s (attempt 2)"],
    [{ status: "waiting", retryAt: NOW - 5 }, "Reconnecting in 0 s (attempt 2)"],
    [{ status: "closed" }, "Disconnected"],
  ] as const)("%j at seq 100: %s", ([change, words]) => {
    expect(connectionWords({ ...base, ...change }, 100, NOW)).toBe(words);
  });

  it("what is read aloud does not change while somebody only waits", () => {
    const waiting = { ...base, status: "waiting" } as const;
    expect(connectionSummary({ ...waiting, retryAt: NOW + 9_000 })).toBe(
      connectionSummary({ ...base, status: "connecting", attempt: 7 }),
    );
  });
});

import type { ConnectionState } from "@flock-ts/client";
import { describe, expect, it } from "vitest";
import { whyNot, whyNotPause } from "./why-not.ts";

const connection: ConnectionState = {
  status: "live",
  attempt: 0,
  retryAt: null,
  epoch: "e",
  connectionId: "c",
  head: 7,
  limited: false,
  reason: null,
  code: null,
};
const now = { file: null, at: null, connection, complete: true };

describe("reason why actions are disabled", () => {
  it.for([
    ["in the past", { ...now, at: 41_200 }, /seq 41,200.*Go live first/],
    ["in an event file", { ...now, file: "flock.ndjson" }, /event files/],
    ["without a connection", { ...now, connection: { ...connection, status: "waiting" } as const }, /disconnected/],
    ["while loading", { ...now, complete: false }, /Still loading/],
  ] as const)("%s", ([, view, reason]) => expect(whyNot(view)).toMatch(reason));

  it("only the owner can pause", () => {
    expect(whyNotPause({ file: null, connection: { ...connection, limited: true } })).toMatch(/Only the owner/);
    expect(whyNotPause(now)).toBeNull();
  });

  it("is null when actions are enabled", () => expect(whyNot(now)).toBeNull());
});

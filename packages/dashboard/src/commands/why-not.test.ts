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
};
const now = { file: null, at: null, connection, complete: true };

describe("nothing can be done, and it is said why,", () => {
  it.for([
    ["in the past", { ...now, at: 41_200 }, /seq 41,200.*Go back to live/],
    ["in a file", { ...now, file: "flock.ndjson" }, /file of events/],
    ["without a connection", { ...now, connection: { ...connection, status: "waiting" } as const }, /no connection/],
    ["before everything has been taken in", { ...now, complete: false }, /wait a moment/],
  ] as const)("%s", ([, standing, words]) => expect(whyNot(standing)).toMatch(words));

  it("of pausing, when something may be hidden from the viewer, who is not the owner then", () => {
    expect(whyNotPause({ file: null, connection: { ...connection, limited: true } })).toMatch(/for the owner/);
    expect(whyNotPause(now)).toBeNull();
  });

  it("but not when there is nothing against it", () => expect(whyNot(now)).toBeNull());
});

import type { FlockEvent } from "@flock-ts/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NameInterner } from "./name-interner.ts";

describe("equal names share one string", () => {
  it("in any event, without changing its content", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ run_id: fc.string(), consumed: fc.array(fc.string()), seq: fc.nat() })),
        (given) => {
          const names = new NameInterner();
          const events = structuredClone(given);
          for (const event of events) names.intern(event as unknown as FlockEvent);
          expect(events).toEqual(given);
        },
      ),
    );
  });
});

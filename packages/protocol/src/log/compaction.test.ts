import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { outputAt } from "../../sample-events.ts";
import { encodeMerged, mergedSeqs } from "./compaction.ts";

describe("compaction", () => {
  it("decodes what it encoded", () => {
    const seqs = fc.uniqueArray(fc.integer({ min: 1, max: 60 }), { minLength: 1 });
    fc.assert(
      fc.property(seqs, (list) => {
        const ascending = [...list].sort((a, b) => a - b);
        const seq = ascending.at(-1) as number;
        const decoded = mergedSeqs({ ...outputAt(seq), merged: encodeMerged(ascending) });
        expect(decoded).toEqual(ascending.slice(0, -1).reverse());
      }),
    );
  });

  it("writes consecutive chunks as one pair", () => {
    expect(encodeMerged([4, 5, 6, 7])).toEqual([0, 3]);
    expect(encodeMerged([1, 2, 5, 6, 7])).toEqual([0, 2, 2, 2]);
    expect(encodeMerged([7])).toEqual([]);
  });

  it("finds nothing in an event that is not compacted", () => {
    expect(mergedSeqs(outputAt(7))).toEqual([]);
    expect(mergedSeqs({ seq: 7, timestamp: "", type: "graph_updated", nodes: [], edges: [] })).toEqual([]);
  });
});

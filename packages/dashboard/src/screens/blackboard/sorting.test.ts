import type { ArtifactState } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { listed } from "./sorting.ts";

const artifact = (seq: number, artifact_type: string, produced_by: string, title: string) =>
  ({
    seq,
    artifact_id: `id-${seq}`,
    artifact_type,
    produced_by,
    correlation_id: `c${seq % 2}`,
    tags: seq === 1 ? ["hot"] : [],
    payload: { title },
  }) as unknown as ArtifactState;
const all = [
  artifact(1, "Pizza", "chef", "Olive"),
  artifact(2, "Idea", "external", "Basil"),
  artifact(3, "Pizza", "apprentice", "Basil"),
];
const ids = (params: Parameters<typeof listed>[1]) => listed(all, params).map(({ seq }) => seq);

describe("artifact table", () => {
  it("shows the newest first, and sorts by each column in both directions", () => {
    expect(ids({})).toEqual([3, 2, 1]);
    expect(ids({ sort: "published" })).toEqual([1, 2, 3]);
    expect(ids({ sort: "type" })).toEqual([2, 1, 3]);
    expect(ids({ sort: "-producer" })).toEqual([2, 1, 3]);
  });

  it("filters by type, producer, workflow, tag and text", () => {
    expect(ids({ type: "Pizza" })).toEqual([3, 1]);
    expect(ids({ agent: "chef" })).toEqual([1]);
    expect(ids({ workflow: "c1" })).toEqual([3, 1]);
    expect(ids({ tag: "hot" })).toEqual([1]);
    expect(ids({ q: "basil" })).toEqual([3, 2]);
    expect(ids({ q: "basil", type: "Pizza" })).toEqual([3]);
  });
});

import type { EventOf, FlockEvent } from "@flock-ts/protocol";
import { encodeMerged } from "@flock-ts/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fileOf, opened } from "../recordings/format.ts";
import { HiddenSeqs } from "./hidden-seqs.ts";
import { Timeline } from "./timeline.ts";

/** The fate of each seq: a visible or hidden event of a stream, or a dropped event. */
type Fate = "shown" | "hidden" | "gone" | "x" | "y";

const fates = fc.array(fc.constantFrom<Fate>("shown", "hidden", "gone", "x", "y"), { minLength: 1, maxLength: 60 });

function piece(seq: number, run: string, merged: readonly number[] = []): EventOf<"streaming_output"> {
  return {
    type: "streaming_output",
    seq,
    timestamp: new Date(seq).toISOString(),
    ...{
      agent_id: "a",
      run_id: run,
      correlation_id: "c",
      content: "",
      is_complete: false,
      offset: 0,
      output_type: "text",
    },
    ...(merged.length > 0 ? { merged: [...merged] } : {}),
  };
}

/**
 * The viewer's part of such a log: streams compacted, or chunk by chunk up to `liveUntil`, and a gap for each dropped
 * range.
 */
function given(log: readonly Fate[], liveUntil: number) {
  const entries: (FlockEvent | { from: number; to: number })[] = [];
  for (const [index, fate] of log.entries()) {
    const seq = index + 1;
    if (fate === "hidden") continue;
    if (fate === "gone") {
      if (log[index - 1] !== "gone") entries.push({ from: seq, to: seq });
      else (entries.findLast((entry) => "from" in entry) as { to: number }).to = seq;
    } else if (fate === "shown" || seq <= liveUntil) entries.push(piece(seq, fate));
    else if (log.lastIndexOf(fate) === index) {
      // Compacted in the file: the last chunk replaces all, including those that were received separately.
      const seqs = log.flatMap((each, at) => (each === fate ? [at + 1] : []));
      entries.push(piece(seq, fate, encodeMerged(seqs)));
    }
  }
  return entries;
}

function taken(entries: ReturnType<typeof given>, numbers?: HiddenSeqs): Timeline {
  const timeline = new Timeline({ spacing: 5 });
  timeline.reaches(1);
  for (const entry of entries) {
    if ("seq" in entry) timeline.append([entry]);
    else {
      const gap = { type: "gap" as const, from_seq: entry.from, to_seq: entry.to, reason: "expired" as const };
      timeline.mark({ kind: "gap", at: entry.to, gap });
    }
    numbers?.follow(timeline.log());
  }
  return timeline;
}

describe("counts hidden events exactly", () => {
  it("without compacted and dropped events, for any range", () => {
    fc.assert(
      fc.property(fates, fc.nat({ max: 60 }), fc.nat({ max: 60 }), fc.nat({ max: 60 }), (log, live, a, b) => {
        const numbers = new HiddenSeqs();
        const timeline = taken(given(log, live), numbers);
        const [from, to] = [Math.min(a, b) + 1, Math.min(Math.max(a, b) + 1, timeline.last)];
        const hidden = log.slice(from - 1, to).filter((fate) => fate === "hidden").length;
        expect(numbers.between(timeline.log(), timeline.gaps, from, to)).toBe(hidden);
      }),
    );
  });

  it("the same in an event file", () => {
    fc.assert(
      fc.property(fates, fc.nat({ max: 60 }), (log, live) => {
        const timeline = taken(given(log, live));
        if (timeline.log().length === 0) return;
        const hidden = log.slice(0, timeline.last).filter((fate) => fate === "hidden").length;
        const file = fileOf(timeline, { from: 1, to: timeline.last, epoch: "e", hidden });
        const { timeline: read, head } = opened(file);
        expect(head?.hidden).toBe(hidden);
        expect(read.gaps).toEqual(timeline.gaps);
        const numbers = new HiddenSeqs();
        numbers.follow(read.log());
        expect(numbers.between(read.log(), read.gaps, read.from, read.last)).toBe(hidden);
        expect(read.from).toBe(1);
      }),
    );
  });
});

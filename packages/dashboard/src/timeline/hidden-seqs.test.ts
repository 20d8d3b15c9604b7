import type { EventOf, FlockEvent } from "@flock-ts/protocol";
import { encodeMerged } from "@flock-ts/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fileOf, opened } from "../recordings/format.ts";
import { HiddenSeqs } from "./hidden-seqs.ts";
import { Timeline } from "./timeline.ts";

/** What becomes of each number of a log: an event of some stream that comes or is hidden, or one that is no longer kept. */
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

/** What a viewer is given of such a log: streams merged, or piece by piece up to `liveUntil`, and a gap for each stretch that is gone. */
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
      // Merged in the file: the last piece stands for all of them, those that were seen one by one included.
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

describe("what is hidden is counted exactly", () => {
  it("beside what has been merged, what is gone and what had been seen before it was merged, between any two places", () => {
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

  it("and a file tells the same", () => {
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

import { type EventDraft, emptyState, type FlockEvent, reduceAll } from "@flock-ts/protocol";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { waitingForRetry, workOf } from "./waiting-for-retry.ts";

const begun = Date.parse("2026-03-14T09:00:00.000Z");

/** The events of a log, a second apart. */
function stateOf(drafts: readonly EventDraft[]) {
  return reduceAll(
    emptyState(),
    drafts.map(
      (draft, n) => ({ ...draft, seq: n + 1, timestamp: new Date(begun + n * 1_000).toISOString() }) as FlockEvent,
    ),
  );
}

function started(work: string, attempt: number): EventDraft {
  const ids = { agent_id: "chef", run_id: `${work}-${attempt}`, correlation_id: "c", activation_id: work };
  return { type: "agent_execution_started", ...ids, consumed_artifacts: [], attempt };
}

function ended(work: string, attempt: number, how: { retry_at?: string; neverBegan?: true } = {}): EventDraft {
  const { retry_at, neverBegan } = how;
  return {
    type: "agent_execution_completed",
    agent_id: "chef",
    run_id: `${work}-${attempt}`,
    correlation_id: "c",
    duration_ms: 1,
    status: neverBegan ? "cancelled" : "error",
    produced_artifacts: [],
    ...(retry_at === undefined ? {} : { retry_at }),
    ...(neverBegan ? { activation_id: work } : {}),
  };
}

const AT = "2026-03-14T10:00:00.000Z";

describe("runs waiting for a retry", () => {
  it("are failed runs with a scheduled retry, until that attempt starts", () => {
    const before = [started("a", 1), ended("a", 1, { retry_at: AT })];
    expect(waitingForRetry(stateOf(before)).map(({ run_id }) => run_id)).toEqual(["a-1"]);
    expect(waitingForRetry(stateOf([...before, started("a", 2)]))).toEqual([]);
    expect(waitingForRetry(stateOf([...before, started("a", 2), ended("a", 2)]))).toEqual([]);
  });

  it("exclude attempts cancelled before their start, which only have an end event", () => {
    const events = [started("a", 1), ended("a", 1, { retry_at: AT }), ended("a", 2, { neverBegan: true })];
    expect(waitingForRetry(stateOf(events))).toEqual([]);
  });

  it("count each activation once by its newest attempt, with any interleaving", () => {
    const work = fc.record({
      attempts: fc.integer({ min: 1, max: 4 }),
      last: fc.constantFrom("runs", "waits", "failed"),
    });
    fc.assert(
      fc.property(fc.array(work, { maxLength: 6 }), fc.infiniteStream(fc.nat()), (works, choices) => {
        const lines = works.map(({ attempts, last }, n) =>
          Array.from({ length: attempts }, (_, index) => index + 1).flatMap((attempt) => {
            const isLast = attempt === attempts;
            if (isLast && last === "runs") return [started(`w${n}`, attempt)];
            const retries = !isLast || last === "waits";
            return [started(`w${n}`, attempt), ended(`w${n}`, attempt, retries ? { retry_at: AT } : {})];
          }),
        );
        const events: EventDraft[] = [];
        for (
          let left = lines.filter((line) => line.length > 0);
          left.length > 0;
          left = left.filter((one) => one.length > 0)
        )
          events.push(left[(choices.next().value as number) % left.length]?.shift() as EventDraft);
        const state = stateOf(events);
        const { running, retrying } = workOf(state, "c");
        expect(retrying.map(({ activation_id }) => activation_id).sort()).toEqual(
          works.flatMap(({ last }, n) => (last === "waits" ? [`w${n}`] : [])),
        );
        expect(running.map(({ activation_id }) => activation_id).sort()).toEqual(
          works.flatMap(({ last }, n) => (last === "runs" ? [`w${n}`] : [])),
        );
        expect(workOf(state, "another")).toEqual({ running: [], retrying: [] });
      }),
    );
  });
});

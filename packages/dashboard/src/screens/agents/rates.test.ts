import type { FlockEvent } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { Timeline } from "../../timeline/timeline.ts";
import { ratesOf } from "./rates.ts";

const MINUTE = 60_000;
const ended = (seq: number, at: number, status: "success" | "error"): FlockEvent => ({
  type: "agent_execution_completed",
  seq,
  timestamp: new Date(at).toISOString(),
  agent_id: "chef",
  run_id: `r${seq}`,
  correlation_id: "c",
  duration_ms: 1,
  status,
  produced_artifacts: [],
});

describe("agent rates", () => {
  it("count only the last minute", () => {
    const timeline = new Timeline();
    timeline.append([
      ended(1, 0, "error"),
      ended(2, 2 * MINUTE - 30_000, "error"),
      ended(3, 2 * MINUTE - 1_000, "success"),
    ]);
    expect(ratesOf(timeline.log(), 2 * MINUTE).get("chef")).toEqual({ started: 0, ended: 2, failed: 1 });
    expect(ratesOf(timeline.log(), 9 * MINUTE).size).toBe(0);
  });
});

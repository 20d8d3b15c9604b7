import { eventSchema, type FlockEvent, MAX_EVENT_BYTES } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { seal } from "./seal.ts";

const common = { seq: 0, timestamp: "2026-01-01T00:00:00.000Z", run_id: "r", correlation_id: "c" };
const completed = {
  type: "agent_execution_completed",
  ...common,
  agent_id: "a",
  duration_ms: 1,
  status: "success",
  produced_artifacts: [] as string[],
} as const;

const sealed = (event: FlockEvent, payloadJson?: string) => {
  const { json } = seal({ kind: "event", event, payloadJson }, 7);
  expect(Buffer.byteLength(json)).toBeLessThanOrEqual(MAX_EVENT_BYTES);
  return eventSchema.parse(JSON.parse(json));
};

describe("an encoded event", () => {
  it.for([
    ["produced_artifacts", { produced_artifacts: Array.from({ length: 40_000 }, () => crypto.randomUUID()) }],
    ["usage", { usage: Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`amount ${i}`, i])) }],
    ["usage", { usage: { ["\u0001".repeat(2_000_000)]: 1 } }],
    ["correlation_id", { correlation_id: "é".repeat(2_000_000) }],
    ["error", { error: { name: "Error", message: "💥".repeat(500_000) } }],
  ] as const)("of more than the limit is shortened, and names the field: %s", ([field, large]) => {
    const event = sealed({ ...completed, ...large } as FlockEvent);
    expect(event).toMatchObject({ type: "agent_execution_completed", seq: 7, status: "success", truncated: [field] });
  });

  it("leaves out a payload that would exceed the limit, regardless of `maxInlinePayloadBytes`", () => {
    const event = {
      type: "artifact_published" as const,
      ...common,
      artifact_id: "i",
      artifact_type: "T",
      produced_by: "external",
      tags: ["t"],
      visibility: { kind: "public" },
    } satisfies FlockEvent;
    const payload = JSON.stringify("x".repeat(2_000_000));
    expect(sealed(event, payload)).toEqual({ ...event, seq: 7, payload_bytes: payload.length });
    expect(sealed(event, '"small"')).toEqual({ ...event, seq: 7, payload: "small" });
  });

  it("is unchanged up to the limit", () => {
    const event = { ...completed, correlation_id: "x".repeat(900_000) } as FlockEvent;
    expect(sealed(event)).toEqual({ ...event, seq: 7 });
  });
});

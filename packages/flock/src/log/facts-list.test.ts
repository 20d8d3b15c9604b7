import type { EventFacts } from "@flock-ts/protocol";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FactsList, Kinds } from "./facts-list.ts";

const word = fc.constantFrom("a", "b", "c");
const facts: fc.Arbitrary<EventFacts> = fc.record({
  type: fc.constantFrom("artifact_published", "agent_execution_started", "streaming_output"),
  agent: fc.option(word, { nil: undefined }),
  artifactType: fc.option(word, { nil: undefined }),
  correlationId: fc.option(word, { nil: undefined }),
  runId: fc.option(word, { nil: undefined }),
  visibility: fc.option(fc.record({ kind: fc.constant("private" as const), agents: fc.array(word) }), {
    nil: undefined,
  }),
});

describe("FactsList", () => {
  it("returns what was added, regardless of what events share", () => {
    fc.assert(
      fc.property(fc.array(facts), (given) => {
        const list = new FactsList(new Kinds());
        for (const one of given) list.push(one);
        expect(list.length).toBe(given.length);
        expect(given.map((_, index) => list.at(index))).toEqual(given);
      }),
    );
  });

  it("returns what was added beyond the size of the kind cache", () => {
    const list = new FactsList(new Kinds());
    const given = Array.from({ length: 25_000 }, (_, i): EventFacts => {
      const agent = `a${i % 11_000}`;
      return { type: "agent_registered", agent, artifactType: undefined, correlationId: undefined, runId: undefined };
    });
    for (const one of given) list.push(one);
    expect(given.filter((one, index) => list.at(index).agent !== one.agent)).toEqual([]);
  });
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answering, modelOf } from "./document-model.ts";
import { isFew } from "./payload-source.ts";

const json = fc.jsonValue({ maxDepth: 4 });

describe("a worker returns the same as the page", () => {
  it("for trees and comparisons with any content", async () => {
    await fc.assert(
      fc.asyncProperty(json, json, fc.constantFrom("tree" as const, "diff" as const), async (left, right, kind) => {
        const here = modelOf(kind, [left, right]);
        const answer = answering();
        const opened = await answer({ id: 1, open: kind, sources: [{ value: left }, { value: right }] });
        expect(opened).toMatchObject({ id: 1, result: { rows: here.rowCount() } });
        expect(await answer({ id: 2, method: "rows", args: [0, 50] })).toEqual({ id: 2, result: here.rows(0, 50) });
        const [row] = here.rows(0, 1);
        const toggled = await answer({ id: 3, method: "toggle", args: [row?.node] });
        expect(toggled).toEqual({ id: 3, result: here.toggle(row?.node as number) });
      }),
    );
  });

  it("reports a failed fetch, with the server's message if there is one", async () => {
    const realFetch = globalThis.fetch;
    try {
      globalThis.fetch = async () => Response.json({ error: { message: "there is no artifact x" } }, { status: 404 });
      const source = { url: "/api/v1/plugin/artifacts/x", at: ["payload"] };
      expect(await answering()({ id: 1, open: "tree", sources: [source] })).toEqual({
        id: 1,
        error: "there is no artifact x",
      });
      globalThis.fetch = async () => new Response("<html>", { status: 502 });
      expect(await answering()({ id: 1, open: "tree", sources: [source] })).toMatchObject({
        error: "/api/v1/plugin/artifacts/x returned 502",
      });
    } finally {
      globalThis.fetch = realFetch;
    }
  });
});

describe("only small payloads are processed in the page", () => {
  it("counts values at any depth", () => {
    expect(isFew(Array.from({ length: 1_000 }, () => ({ a: [1, 2] })))).toBe(true);
    expect(isFew({ a: { b: Array.from({ length: 30_000 }, () => 0) } })).toBe(false);
  });
});

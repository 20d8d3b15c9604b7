import { eventPageSchema, OWNER } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { EventLog } from "../log/event-log.ts";
import { pageJson, readEventPage } from "./event-page.ts";

describe("readEventPage", () => {
  it("returns the stored text of events, in the shape of the wire contract", async () => {
    const log = new EventLog("e", 1024 * 1024);
    const facts = {
      type: "artifact_published",
      agent: "a",
      artifactType: "A",
      correlationId: "c",
      runId: undefined,
    } as const;
    const texts = Array.from(
      { length: 5 },
      (_, i) => `{"type":"artifact_published","seq":${i + 1},"x":1.0,"text":"é\\u00e9"}`,
    );
    log.append(texts.map((json, i) => ({ seq: i + 1, json, facts })));
    const text = pageJson(await readEventPage(log, { after: 1, limit: 2, filter: {} }, OWNER));
    expect(text).toBe(`{"events":[${texts[1]},${texts[2]}],"next":3,"head":5,"oldest":1,"epoch":"e"}`);
    expect(eventPageSchema.parse(JSON.parse(text))).toEqual(JSON.parse(text));
    const other = pageJson(await readEventPage(log, { after: 4, limit: 2, epoch: "other", filter: {} }, OWNER));
    expect(eventPageSchema.parse(JSON.parse(other))).toMatchObject({ next: 2, gap: { type: "gap", reason: "epoch" } });
    const last = pageJson(await readEventPage(log, { after: 5, limit: 2, filter: {} }, OWNER));
    expect(last).toBe(`{"events":[],"next":5,"head":5,"oldest":1,"epoch":"e"}`);
  });

  it("yields to the event loop while it searches a long log", async () => {
    const log = new EventLog("e", 1024 * 1024 * 1024);
    const facts = {
      type: "artifact_published",
      agent: "a",
      artifactType: "A",
      correlationId: "c",
      runId: undefined,
    } as const;
    const json = JSON.stringify({ type: "artifact_published", padding: "x".repeat(200) });
    log.append(Array.from({ length: 200_000 }, (_, i) => ({ seq: i + 1, json, facts })));
    const filter = { agents: Array.from({ length: 100 }, (_, i) => `n${i}`) };
    let turns = 0;
    let isDone = false;
    const turn = () => {
      turns += 1;
      if (!isDone) setImmediate(turn);
    };
    setImmediate(turn);
    const page = await readEventPage(log, { after: 0, limit: 100, filter }, OWNER);
    isDone = true;
    expect(page).toMatchObject({ events: [], next: 200_000 });
    expect(turns).toBeGreaterThan(2);
  });
});

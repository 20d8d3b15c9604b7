import { OWNER } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { readEventPage } from "./event-page.ts";
import { EventLog } from "../log/event-log.ts";

describe("a page of the log", () => {
  it("lets other work run while it searches a long log", async () => {
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

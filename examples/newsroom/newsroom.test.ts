import { fileURLToPath } from "node:url";
import { offlineModel } from "flock-ts/engines/ai";
import { describe, expect, it } from "vitest";
import { eventsOf } from "../../tests/support/events.ts";
import { Article, Review, Summary, Verdict } from "./artifacts.ts";
import { newsroom } from "./newsroom.ts";
import { readArticle } from "./read-article.ts";

describe("newsroom", () => {
  it("reviews its sample article in two rounds, because the critic rejects the first review", async () => {
    await using flock = await newsroom({ pauseMs: 0 });
    await flock.publish(await readArticle(fileURLToPath(new URL("article.md", import.meta.url))));
    await flock.runUntilIdle();
    const reviews = await flock.store.getByType(Review);
    expect(reviews.map(({ round }) => round)).toEqual([1, 2]);
    const [verdict] = await flock.store.getByType(Verdict);
    expect(verdict).toMatchObject({ title: "The lighthouse that counts birds", rounds: 2 });
    expect(verdict?.suggestions.length).toBeGreaterThanOrEqual(4);
    expect(new Set(eventsOf(flock, "run_step_completed").map(({ name }) => name))).toEqual(
      new Set(["compromise", "textrank"]),
    );
  });

  it("uses a model for summary and judgement when it has one", async () => {
    await using flock = await newsroom({ pauseMs: 0, model: offlineModel({ seed: 1 }) });
    await flock.publish(await readArticle(fileURLToPath(new URL("article.md", import.meta.url))));
    await flock.runUntilIdle();
    const [summary] = await flock.store.getByType(Summary);
    expect(summary?.sentences[0]).toMatch(/^\[offline\]/);
    const [verdict] = await flock.store.getByType(Verdict);
    expect(verdict?.summary).toMatch(/^\[offline\]/);
    expect(flock.stats().runs.error).toBe(0);
    const asked = eventsOf(flock, "run_step_completed").filter(({ kind }) => kind === "model");
    expect(new Set(asked.map(({ agent_id }) => agent_id))).toEqual(new Set(["summariser", "critic"]));
  });

  it("keeps two articles separate", async () => {
    await using flock = await newsroom({ pauseMs: 0 });
    await Promise.all(
      ["one", "two"].map((name) => flock.publish(Article({ title: name, text: `# ${name}\n\nA text about ${name}.` }))),
    );
    await flock.runUntilIdle();
    const verdicts = await flock.store.getByType(Verdict);
    expect(verdicts.map(({ title, summary }) => [title, summary]).sort()).toEqual([
      ["one", "A text about one."],
      ["two", "A text about two."],
    ]);
  });
});

import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Article, Review, Verdict } from "./artifacts.ts";
import { newsroom } from "./newsroom.ts";
import { readArticle } from "./read-article.ts";

describe("the newsroom", () => {
  it("reviews the article that comes with it in two rounds, since the critic sends the first one back", async () => {
    await using flock = newsroom({ pauseMs: 0 });
    await flock.publish(await readArticle(fileURLToPath(new URL("article.md", import.meta.url))));
    await flock.runUntilIdle();
    const reviews = await flock.store.getByType(Review);
    expect(reviews.map(({ round }) => round)).toEqual([1, 2]);
    const [verdict] = await flock.store.getByType(Verdict);
    expect(verdict).toMatchObject({ title: "The lighthouse that counts birds", rounds: 2 });
    expect(verdict?.suggestions.length).toBeGreaterThanOrEqual(4);
  });

  it("keeps two articles apart", async () => {
    await using flock = newsroom({ pauseMs: 0 });
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

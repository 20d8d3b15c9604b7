import { describe, expect, it } from "vitest";
import { missingIn } from "./critic.ts";
import { firstThoughts, secondThoughts } from "./editor.ts";
import { factsIn } from "./fact-finder.ts";
import { outline } from "./outliner.ts";
import { styleOf } from "./stylist.ts";
import { ranked } from "./summariser.ts";

describe("outliner", () => {
  it("finds headings of all levels and measures their sections", () => {
    const found = outline("# Title\n\nOne two three. Four five.\n\n## Part ##\n\nSix.\n");
    expect(found).toEqual({
      headings: [
        { level: 1, text: "Title" },
        { level: 2, text: "Part" },
      ],
      paragraphs: 2,
      sentences: 3,
      words: 6,
      readingMinutes: 0,
    });
  });

  it("accepts a text without headings or full stops", () => {
    expect(outline("only words")).toMatchObject({ headings: [], paragraphs: 1, sentences: 1, words: 2 });
  });
});

describe("fact finder", () => {
  it("finds each name, number, date and quote once, also across line ends", () => {
    const facts = factsIn(
      'Marie\nCurie moved to Paris in 1891. Paris gave her 2 prizes and 61,000 francs, 12% of it in gold. "It was\nlate," she said on 7 November 1911.',
    );
    expect(facts.names).toEqual(expect.arrayContaining(["Marie Curie", "Paris"]));
    expect(facts.names.filter((name) => name === "Paris")).toHaveLength(1);
    expect(facts.numbers).toEqual(["2", "61,000", "12%"]);
    expect(facts.dates).toEqual(["1891", "7 November 1911"]);
    expect(facts.quotes).toEqual(["It was late,"]);
  });
});

describe("stylist", () => {
  it("scores plain words higher than learned ones", () => {
    const plain = styleOf("The cat sat on the mat. It was a warm day.").readingEase;
    const learned = styleOf("Institutional considerations necessitate comprehensive reorganisation.").readingEase;
    expect(plain).toBeGreaterThan(80);
    expect(learned).toBeLessThan(20);
  });

  it("finds long sentences and the passive voice, but not adjectives", () => {
    const long = `It went ${"on and ".repeat(16)}on.`;
    const style = styleOf(`${long} The house was built in 1900. The shop was open. He built it.`);
    expect(style.longSentences).toEqual([long]);
    expect(style.passiveSentences).toEqual(["The house was built in 1900."]);
  });
});

describe("summariser", () => {
  it("ranks the sentence with the most common words first", () => {
    const [first] = ranked(
      "Lighthouse keepers watch the birds. Birds pass the lighthouse at night. The keepers count birds at the lighthouse every night. Bread is baked from flour.",
    );
    expect(first?.sentence).toBe("The keepers count birds at the lighthouse every night.");
  });

  it("keeps the order of sentences without common words", () => {
    expect(ranked("Apples fall. Dogs bark.").map(({ place }) => place)).toEqual([0, 1]);
  });
});

describe("editor and critic", () => {
  const findings = {
    outline: outline("# A\n\nShort."),
    facts: { names: ["Ada"], numbers: ["7"], dates: [], quotes: [] },
    style: { readingEase: 80, longSentences: [], passiveSentences: [] },
  };

  it("the critic rejects a thin first review", () => {
    const { suggestions } = firstThoughts(findings);
    expect(missingIn({ round: 1, suggestions })).toHaveLength(1);
  });

  it("the second review lists facts and changes, and is final", () => {
    expect(secondThoughts(findings).join(" ")).toMatch(/7.*Ada/);
    expect(missingIn({ round: 2, suggestions: [] })).toEqual([]);
  });
});

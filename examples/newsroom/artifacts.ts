import { artifact } from "flock-ts";
import { z } from "zod";

/** A text to review: plain text, or Markdown with `#` headings. At most 2 MB. */
export const Article = artifact(
  "Article",
  z.object({
    title: z.string().trim().min(1),
    text: z.string().trim().min(1, "is empty: there is nothing to review").max(2_000_000),
  }),
);

/** Result of the outliner. */
export const Outline = artifact(
  "Outline",
  z.object({
    headings: z.array(z.object({ level: z.int(), text: z.string() })),
    paragraphs: z.int(),
    sentences: z.int(),
    words: z.int(),
    readingMinutes: z.number(),
  }),
);

/** Result of the fact finder. */
export const Facts = artifact(
  "Facts",
  z.object({
    names: z.array(z.string()),
    numbers: z.array(z.string()),
    dates: z.array(z.string()),
    quotes: z.array(z.string()),
  }),
);

/** Result of the stylist. */
export const Style = artifact(
  "Style",
  z.object({
    readingEase: z.number().describe("Flesch: 100 is very easy, 60 plain, 0 hard."),
    longSentences: z.array(z.string()),
    passiveSentences: z.array(z.string()),
  }),
);

/** Result of the summariser. */
export const Summary = artifact("Summary", z.object({ sentences: z.array(z.string()) }));

/** The editor's review, based on all four results. */
export const Review = artifact(
  "Review",
  z.object({
    round: z.int(),
    summary: z.string(),
    strengths: z.array(z.string()),
    suggestions: z.array(z.string()),
    outline: Outline.schema,
    facts: Facts.schema,
    style: Style.schema,
  }),
);

/** The critic's request for more: the current review and what it lacks. */
export const Objection = artifact("Objection", z.object({ review: Review.schema, missing: z.array(z.string()) }));

/** The critic's approval. */
export const Verdict = artifact(
  "Verdict",
  z.object({ title: z.string(), rounds: z.int(), summary: z.string(), suggestions: z.array(z.string()) }),
);

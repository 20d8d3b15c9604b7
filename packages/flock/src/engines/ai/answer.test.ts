import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { artifact } from "../../blackboard/artifact-type.ts";
import { draftsOf } from "./answer.ts";
import { answerSchemaOf } from "./answer-schema.ts";

const Pizza = artifact("Pizza", z.object({ name: z.string(), slices: z.int().optional() }));
const schema = answerSchemaOf([Pizza]);
const read = (text: string) => draftsOf(text, schema).map(({ payload }) => payload);
const T = { name: "Tartufo" };
const json = JSON.stringify(T);

describe("an answer that is not JSON as a whole", () => {
  it.for<[string, string]>([
    ["prose around it", `Sure! Here is the pizza: ${json} Enjoy it.`],
    ["prose with other brackets", `I used {curly} braces [1] and <b>tags</b>: ${json}`],
    ["a fence", `\`\`\`json\n${json}\n\`\`\``],
    ["a fence in capitals, with prose", `Done:\n\n\`\`\`JSON\n${json}\n\`\`\`\nBon appétit`],
    ["a fence without a language", `\`\`\`\n${json}\n\`\`\``],
    ["a fence of tildes", `~~~ json5\n${json}\n~~~`],
    ["thinking before it", `<think>Maybe {"name": "Marinara"}? No.</think>\n${json}`],
    ["thinking that began in the prompt", `Maybe {"name": "Marinara"}? No.</think>\n${json}`],
    ["thinking in another tag", `<Thinking>Maybe {"name": "Marinara"}? No.</Thinking>\n${json}`],
    ["reasoning before it", `<reasoning>Maybe {"name": "Marinara"}? No.</reasoning>${json}`],
    ["an array of one", `[${json}]`],
    ["an array of one in prose", `The answer: [ ${json} ]`],
    ["a trailing comma", '{"name": "Tartufo",}'],
    ["trailing commas in an array of one", '[{"name": "Tartufo", \n },\n]'],
    ["the same value twice", `${json}\n\nIn full:\n\`\`\`json\n{ "name": "Tartufo" }\n\`\`\``],
    ["another value that does not fit", `Given {"idea": "truffle"}, I suggest ${json}.`],
    ["a byte order mark", `\uFEFF${json}`],
  ])("counts with %s", ([, text]) => {
    expect(read(text)).toEqual([T]);
  });

  it("keeps texts as they are, also those that look like notation", () => {
    const name = '<think>, ] </think> "a",} ```json';
    expect(read(`Here: ${JSON.stringify({ name })}`)).toEqual([{ name }]);
    expect(read(`Here: ${JSON.stringify({ name }).replace(/}$/, ",}")}`)).toEqual([{ name }]);
  });

  it.for<[string, string, RegExp]>([
    ["two values that fit", `${json} or {"name": "Marinara"}`, /several different values/],
    ["an array of two", `Choose: [${json}, {"name": "Marinara"}] or ${json}`, /several different values/],
    ["one value in an array of two", `[${json}, 7`, /not JSON/],
    ["a value inside of another", `{"result": ${json}}`, /name/],
    ["a value inside of something broken", `{result: ${json}}`, /not JSON/],
    ["a value before a break", `${json} and {"name": "Mari`, /not JSON/],
    ["a value in something that breaks off", `{"name": "Menu", "parts": [${json}]`, /not JSON/],
    ["nothing but thinking", `<think>${json}`, /not JSON/],
    ["only prose", "I would rather not.", /not JSON/],
    ["one value that does not fit", `Here: {"name": 7}`, /Invalid payload of `Pizza`.*name/],
  ])("does not count with %s", ([, text, message]) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: "model_answer_invalid" }));
    expect(() => read(text)).toThrow(message);
  });

  it("finds an answer of several types, and lists", () => {
    const Wine = artifact("Wine", z.string());
    const several = answerSchemaOf([Pizza, Wine], new Map([["Wine", { min: 1, max: 3 }]]));
    const drafts = draftsOf(`Here: {"Pizza": ${json}, "Wine": ["Barolo", "Soave",]}`, several);
    expect(drafts.map(({ payload }) => payload)).toEqual([T, "Barolo", "Soave"]);
  });

  it("is read in linear time", () => {
    const brackets = `${"{[".repeat(100_000)}${json}`;
    const quotes = `${'{"'.repeat(100_000)}${json}`;
    const commas = `{"name": "T"${`,${" ".repeat(500)}`.repeat(1_000)}}`;
    for (const text of [brackets, quotes, commas]) expect(() => read(text)).toThrow(/not JSON/);
  });
});

describe("among values in a text", () => {
  const payload = fc.record({ name: fc.string(), slices: fc.integer() }, { requiredKeys: ["name"] });
  const misfit = fc.oneof(
    fc.record({ title: fc.string() }),
    fc.record({ name: fc.integer() }),
    fc.array(fc.integer(), { maxLength: 3 }),
    fc.array(fc.record({ name: fc.integer() }), { minLength: 2, maxLength: 3 }),
  );
  const prose = fc.stringMatching(/^[a-z .,:!'`\n]*$/);
  const written = (value: unknown) =>
    fc.constantFrom(
      JSON.stringify(value),
      JSON.stringify(value, null, 2),
      `[${JSON.stringify(value)}]`,
      `\`\`\`JSON\n${JSON.stringify(value)}\n\`\`\``,
      JSON.stringify(value).replace(/}$/, " ,\n}"),
    );
  const plain = (value: unknown) => fc.constant(JSON.stringify(value));
  const text = (fitting: fc.Arbitrary<unknown[]>) =>
    fitting.chain((values) =>
      fc
        .tuple(
          fc.tuple(...values.map((value) => written(value))),
          fc.array(misfit.chain(plain), { maxLength: 3 }),
          fc.array(prose, { minLength: 8, maxLength: 8 }),
          fc.infiniteStream(fc.nat()),
        )
        .map(([good, bad, words, order]) => {
          const parts = [...good, ...bad].map((part) => ({ part, at: order.next().value as number }));
          parts.sort((a, b) => a.at - b.at);
          return { values, text: parts.map(({ part }, i) => `${words[i]} ${part}`).join(" ") + words[7] };
        }),
    );

  it("takes the only one that fits among others", () => {
    fc.assert(
      fc.property(text(payload.map((value) => [value])), ({ values, text }) => {
        expect(read(text)).toEqual(values);
      }),
    );
  });

  it("takes none when two different ones fit", () => {
    const two = fc
      .tuple(payload, payload)
      .filter(([a, b]) => a.name !== b.name || a.slices !== b.slices) as fc.Arbitrary<unknown[]>;
    fc.assert(
      fc.property(text(two), ({ text }) => {
        expect(() => read(text)).toThrow(expect.objectContaining({ code: "model_answer_invalid" }));
      }),
    );
  });

  it("takes nothing that is not written there, wherever the text breaks off", () => {
    fc.assert(
      fc.property(text(payload.map((value) => [value])), fc.nat(), ({ values, text }, at) => {
        let found: unknown[] = [];
        try {
          found = read(text.slice(0, at % (text.length + 1)));
        } catch {}
        if (found.length > 0) expect(found).toEqual(values);
      }),
    );
  });
});

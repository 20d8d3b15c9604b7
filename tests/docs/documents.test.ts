import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { CLOSE, commandSchemas, controlSchemas, ERROR_STATUS, eventSchemas } from "@flock-ts/protocol";
import { describe, expect, it } from "vitest";
import { RunningProgram } from "../support/process.ts";
import { anchorOf, blocksOf, DOCUMENTS, prose, ROOT, read, sectionsOf } from "./documents.ts";
import { temporaryFile } from "./program.ts";
import { typeCheck } from "./type-check.ts";

/** The output of the complete programs in the documents, one pattern per program. */
const RESULTS = [
  /truffle/,
  /7 costs 12, paid 12/,
  /\[ 'a', 'b', 'c' \]/,
  /dish: 'calzone', attempt: 3/,
  /out of paper 1\n0 1/,
  /after: nothing/,
  /^digest 1\ndigest 2\ndigest 3$/,
  /^\[ \{ text: 'Basil wins'(, score: 0.9)? \} \]$/m,
];

describe("code in the documentation", () => {
  it("type-checks every TypeScript block", () => {
    const blocks = DOCUMENTS.flatMap((document) => blocksOf(document, "ts", "tsx"));
    expect(blocks.length).toBeGreaterThan(20);
    expect(typeCheck(blocks)).toEqual([]);
  });

  const programs = DOCUMENTS.flatMap((document) =>
    blocksOf(document, "ts").filter(({ flags }) => flags.includes("run")),
  );
  it.for(programs.map((block) => [block.document, block] as const))(
    "runs the complete program in %s",
    async ([, block]) => {
      await using file = await temporaryFile(block.code);
      await using program = new RunningProgram(["node", file.path], { cwd: ROOT });
      expect(await program.exit(), program.errors).toBe(0);
      expect(program.lines.join("\n")).toSatisfy((text: string) => RESULTS.some((result) => result.test(text)));
    },
  );

  it("parses every JSON block", () => {
    for (const document of DOCUMENTS) {
      for (const { code, line } of blocksOf(document, "json")) {
        expect(() => JSON.parse(code), `${document}:${line}`).not.toThrow();
      }
    }
  });
});

describe("links in the documentation point to existing targets", () => {
  it.for(DOCUMENTS.map((document) => [document] as const))("%s", ([document]) => {
    const links = [...prose(read(document)).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)];
    for (const [link, path = "", anchor] of links) {
      const target = path === "" ? document : join(dirname(document), path);
      expect(existsSync(join(ROOT, target)), link).toBe(true);
      if (anchor === undefined) continue;
      expect(
        sectionsOf(read(target)).map(({ heading }) => anchorOf(heading)),
        link,
      ).toContain(anchor);
    }
  });
});

describe("the wire contract lists", () => {
  const page = read("docs/wire-contract.md");
  const names = [eventSchemas, controlSchemas, commandSchemas, ERROR_STATUS].flatMap((part) => Object.keys(part));
  it.for([...names, ...Object.values(CLOSE).map(({ code }) => String(code))].map((name) => [name] as const))(
    "%s",
    ([name]) => {
      expect(page).toMatch(new RegExp(`\\b${name}\\b`));
    },
  );

  it.for(Object.entries(eventSchemas).map(([name, schema]) => [name, Object.keys(schema.shape)] as const))(
    "%s with all fields",
    ([name, fields]) => {
      const section = sectionsOf(page).find(({ heading }) => heading.startsWith(`\`${name}\``));
      for (const field of fields) {
        if (["type", "seq", "timestamp", "truncated"].includes(field)) continue;
        expect(section?.text, field).toContain(`\`${field}\``);
      }
    },
  );
});

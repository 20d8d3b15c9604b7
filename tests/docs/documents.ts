import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the whole project. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A fenced block of code. */
export interface Block {
  /** The document, from the project's folder. */
  readonly document: string;
  /** Where the code begins in the document, counted from 1. */
  readonly line: number;
  readonly language: string;
  /** What follows the language, such as `run`. */
  readonly flags: readonly string[];
  readonly code: string;
}

/** A section: a heading with all that stands under it, smaller headings included. */
export interface Section {
  readonly heading: string;
  readonly level: number;
  readonly text: string;
}

/** Every document that people read, from the project's folder. */
export const DOCUMENTS: readonly string[] = globSync(
  ["*.md", "docs/**/*.md", "packages/*/README.md", "examples/*/README.md", "bench/README.md"],
  {
    cwd: ROOT,
    exclude: (path) => /(^|\/)(node_modules|api|dist)(\/|$)/.test(path),
  },
).sort();

/** The text of a document. */
export function read(document: string): string {
  return readFileSync(join(ROOT, document), "utf8");
}

/** The fenced blocks of a document, in one language or in all. */
export function blocksOf(document: string, ...languages: readonly string[]): Block[] {
  return blocksIn(read(document), document).filter(
    ({ language }) => languages.length === 0 || languages.includes(language),
  );
}

/** The fenced blocks of a text. */
export function blocksIn(text: string, document: string): Block[] {
  return [...text.matchAll(/^( *)```([\w-]*)([^\n]*)\n([\s\S]*?)^\1```$/gm)].map((match) => ({
    document,
    line: text.slice(0, match.index).split("\n").length + 1,
    language: match[2] as string,
    flags: (match[3] as string).trim().split(/\s+/).filter(Boolean),
    code: match[4] as string,
  }));
}

/** The text without its fenced blocks, where a `#` is a comment and a bracket no link. */
export function prose(text: string): string {
  return text.replace(/^( *)```[\s\S]*?^\1```$/gm, "");
}

/** The sections of a text. */
export function sectionsOf(text: string): Section[] {
  // Blocks are blanked, not removed, so that positions stay.
  const blanked = text.replace(/^( *)```[\s\S]*?^\1```$/gm, (block) => block.replace(/[^\n]/g, " "));
  const headings = [...blanked.matchAll(/^(#+) (.+)$/gm)];
  return headings.map((match, index) => {
    const level = (match[1] as string).length;
    const next = headings.slice(index + 1).find((other) => (other[1] as string).length <= level);
    return { heading: match[2] as string, level, text: text.slice(match.index, next?.index) };
  });
}

/** The anchor that a heading gets on the web. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replace(/ /g, "-");
}

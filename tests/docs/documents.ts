import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root folder of the project. */
export const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A fenced block of code. */
export interface Block {
  /** The path of the document, relative to the root. */
  readonly document: string;
  /** The line of the first line of code, from 1. */
  readonly line: number;
  readonly language: string;
  /** The words after the language, such as `run`. */
  readonly flags: readonly string[];
  readonly code: string;
}

/** A heading with its text, including subsections. */
export interface Section {
  readonly heading: string;
  readonly level: number;
  readonly text: string;
}

/** The paths of all documents, relative to the root. */
export const DOCUMENTS: readonly string[] = globSync(
  ["*.md", "docs/**/*.md", "packages/*/README.md", "examples/*/README.md", "bench/README.md"],
  {
    cwd: ROOT,
    exclude: (path) => /(^|\/)(node_modules|api|dist)(\/|$)/.test(path),
  },
).sort();

/** Returns the text of a document. */
export function read(document: string): string {
  return readFileSync(join(ROOT, document), "utf8");
}

/** Returns the fenced blocks of a document, optionally only those in given languages. */
export function blocksOf(document: string, ...languages: readonly string[]): Block[] {
  return blocksIn(read(document), document).filter(
    ({ language }) => languages.length === 0 || languages.includes(language),
  );
}

/** Returns the fenced blocks of a text. */
export function blocksIn(text: string, document: string): Block[] {
  return [...text.matchAll(/^( *)```([\w-]*)([^\n]*)\n([\s\S]*?)^\1```$/gm)].map((match) => ({
    document,
    line: text.slice(0, match.index).split("\n").length + 1,
    language: match[2] as string,
    flags: (match[3] as string).trim().split(/\s+/).filter(Boolean),
    code: match[4] as string,
  }));
}

/** Returns the text without fenced blocks, where `#` starts a comment and a bracket is not a link. */
export function prose(text: string): string {
  return text.replace(/^( *)```[\s\S]*?^\1```$/gm, "");
}

/** Returns the sections of a text. */
export function sectionsOf(text: string): Section[] {
  // Blocks are blanked instead of removed, to keep positions.
  const blanked = text.replace(/^( *)```[\s\S]*?^\1```$/gm, (block) => block.replace(/[^\n]/g, " "));
  const headings = [...blanked.matchAll(/^(#+) (.+)$/gm)];
  return headings.map((match, index) => {
    const level = (match[1] as string).length;
    const next = headings.slice(index + 1).find((other) => (other[1] as string).length <= level);
    return { heading: match[2] as string, level, text: text.slice(match.index, next?.index) };
  });
}

/** Returns the anchor that GitHub generates for a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replace(/ /g, "-");
}

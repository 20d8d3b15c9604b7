import nlp from "compromise";

/** Returns the running text, without headings, list markers, links and emphasis. */
export function plainText(markdown: string): string {
  return markdown
    .split(/\r?\n/)
    .filter((line) => !/^\s{0,3}#{1,6}\s/.test(line))
    .map((line) => line.replace(/^\s*(?:[-*+]|\d+\.|>)\s+/, ""))
    .join("\n")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/(\*\*|__|[*_`])(\S(?:.*?\S)?)\1/g, "$2");
}

/** Returns the sentences of a Markdown text, in order. */
export function sentencesOf(markdown: string): string[] {
  return plainText(markdown)
    .split(/\n\s*\n/)
    .flatMap((paragraph) => nlp.tokenize(paragraph.replace(/\s+/g, " ").trim()).sentences().out("array") as string[])
    .filter((sentence) => /\p{L}/u.test(sentence));
}

/** Returns the words of a text as written. */
export function wordsOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*/gu) ?? [];
}

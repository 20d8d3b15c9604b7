import { TextlintKernel } from "@textlint/kernel";
import markdownModule from "@textlint/textlint-plugin-markdown";
import type { TextlintRuleModule } from "@textlint/types";
import { split } from "sentence-splitter";
import { BANNED_WORDS } from "./words.ts";

/** The longest sentence that passes, in words. A code span counts as one word. */
const MAX_WORDS = 25;

/** A sentence that opens with a relative clause is hard to scan. A question is not one. */
const RELATIVE_OPENING = /^(What|Who|Whoever)\b[^?]*$/;

interface TextNode {
  readonly type: string;
  readonly value?: string;
  readonly children?: readonly TextNode[];
}

const kernel = new TextlintKernel();
// The plugin is a CommonJS module with an `exports.default`.
const markdown = (markdownModule as unknown as { readonly default: typeof markdownModule }).default;

/** Lints a Markdown document. Resolves to one message per fault, each beginning with the line number. */
export async function lintMarkdown(text: string): Promise<string[]> {
  const { messages } = await kernel.lintText(text, {
    ext: ".md",
    plugins: [{ pluginId: "markdown", plugin: markdown }],
    rules: [
      { ruleId: "words", rule: words },
      { ruleId: "sentences", rule: sentences },
    ],
  });
  return messages.map(({ line, message }) => `${line}: ${message}`);
}

const words: TextlintRuleModule = ({ Syntax, RuleError, report, locator }) => ({
  [Syntax.Str](node) {
    for (const { pattern, instead } of BANNED_WORDS) {
      for (const { 0: found, index } of node.value.matchAll(pattern)) {
        const padding = locator.range([index, index + found.length]);
        report(node, new RuleError(`"${found}": use ${instead}`, { padding }));
      }
    }
  },
});

const sentences: TextlintRuleModule = ({ Syntax, RuleError, report }) => ({
  [Syntax.Paragraph](node) {
    for (const sentence of split(textOf(node as TextNode))) {
      if (sentence.type !== "Sentence") continue;
      const raw = sentence.raw.replaceAll(/\s+/g, " ").trim();
      const count = raw.split(" ").filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
      const start = `"${raw.slice(0, 40)}…"`;
      if (count > MAX_WORDS) report(node, new RuleError(`${count} words, at most ${MAX_WORDS}: ${start}`));
      if (RELATIVE_OPENING.test(raw)) report(node, new RuleError(`begins with a relative clause: ${start}`));
    }
  },
});

function textOf({ type, value, children }: TextNode): string {
  if (type === "Code") return "code";
  if (type === "Break") return " ";
  return value ?? (children ?? []).map(textOf).join("");
}

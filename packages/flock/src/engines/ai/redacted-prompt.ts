import type { wrapLanguageModel } from "ai";
import { REDACTED, type Redaction } from "../../core/redaction.ts";

type Wrapped = Parameters<typeof wrapLanguageModel>[0];
type Prompt = Parameters<
  NonNullable<Exclude<Wrapped["middleware"], readonly unknown[]>["transformParams"]>
>[0]["params"]["prompt"];

/** Removes secrets from a prompt: inputs, history, instructions and tool results. */
export function withoutSecrets(prompt: Prompt, redaction: Redaction): Prompt {
  return prompt.map((message) => {
    if (message.role === "system") return { ...message, content: redaction.text(message.content) };
    return { ...message, content: message.content.map((part) => partWithoutSecrets(part, redaction)) };
  }) as Prompt;
}

type Part = Exclude<Prompt[number]["content"], string>[number];

/** Redacts a part of a message. Provider metadata, such as signatures, must be returned unchanged. */
function partWithoutSecrets(part: Part, redaction: Redaction): Part {
  switch (part.type) {
    case "text":
    case "reasoning":
      return { ...part, text: redaction.text(part.text) };
    case "tool-call":
      return { ...part, input: redaction.value(part.input) };
    case "tool-result": {
      const { output } = part;
      if (output.type === "execution-denied") return part;
      const value = redaction.value(output.value as unknown);
      const json = typeof value === "string" ? "" : JSON.stringify(value);
      // Catches secrets that span several parts.
      const rest = output.type === "content" ? json : redaction.text(json);
      return {
        ...part,
        output: (rest === json ? { ...output, value } : { type: "text", value: rest || REDACTED }) as typeof output,
      };
    }
    default:
      return part;
  }
}

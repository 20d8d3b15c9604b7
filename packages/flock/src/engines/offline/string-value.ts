import { textFor } from "./pattern-text.ts";
import type { Random } from "./random.ts";

/** The keywords of a string schema. */
interface StringSchema {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: string;
}

/** Marks the first text of each answer as generated. */
export const MARK = "[offline]";
/** Maximum number of words in a text without limits. */
const MOST_WORDS = 6;
/** Maximum number of attempts to match the patterns, with growing length. */
const TRIES = 200;

/** Generates strings from the words of the question, or by format and patterns. */
export class StringMaker {
  readonly #random: Random;
  readonly #words: readonly string[];
  #marked = false;

  constructor(random: Random, words: readonly string[]) {
    this.#random = random;
    this.#words = words;
  }

  /** Generates a conforming string. */
  make(schema: StringSchema, patterns: readonly string[]): string {
    const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, format } = schema;
    const expressions = patterns.map(expressionOf);
    const fits = (text: string) => {
      const { length } = text;
      return length >= minLength && length <= maxLength && expressions.every((expression) => expression.test(text));
    };
    const formatted = format === undefined ? undefined : this.#ofFormat(format);
    if (formatted !== undefined && fits(formatted)) return formatted;
    if (patterns.length === 0) return this.#ofWords(minLength, maxLength);
    let last = "";
    for (let tries = 0; tries < TRIES; tries += 1) {
      const parts = patterns.map((pattern) => textFor(pattern, this.#random, 2 + (tries % 10) * (1 + minLength)));
      const candidates = [...parts, parts.join(""), ...(tries === 0 ? [this.#words[0] ?? ""] : [])];
      const found = candidates.find(fits);
      if (found !== undefined) return found;
      last = candidates[0] as string;
    }
    return last;
  }

  #ofWords(minLength: number, maxLength: number): string {
    const words: string[] = [];
    const count = this.#random.between(1, MOST_WORDS);
    for (let left: string[] = []; words.length < count || words.join(" ").length < minLength; ) {
      // Use every word once before repeating any.
      if (left.length === 0) left = [...this.#words];
      words.push(...left.splice(this.#random.between(0, left.length - 1), 1));
      if (left.length === 0 && words.length >= this.#words.length && words.join(" ").length >= minLength) break;
    }
    let text = words.join(" ");
    if (!this.#marked && MARK.length + 1 + text.length <= maxLength) {
      this.#marked = true;
      text = `${MARK} ${text}`;
    }
    while (words.length > 1 && text.length > maxLength && words.slice(0, -1).join(" ").length >= minLength) {
      words.pop();
      text = words.join(" ");
    }
    if (text.length <= maxLength) return text;
    // Truncation may leave half a character or a trailing space, which schemas may trim.
    return text.slice(0, maxLength).replace(/[\s\p{Cs}]$/u, "x");
  }

  #ofFormat(format: string): string | undefined {
    const { between } = { between: (least: number, most: number) => this.#random.between(least, most) };
    const digits = (n: number, length = 2) => String(n).padStart(length, "0");
    const hex = (length: number) => Array.from({ length }, () => between(0, 15).toString(16)).join("");
    const host = () =>
      `${
        this.#random
          .pick(this.#words)
          .normalize("NFD")
          .replace(/[^a-z]/g, "") || "flock"
      }.example`;
    const date = () => `20${digits(between(20, 29))}-${digits(between(1, 12))}-${digits(between(1, 28))}`;
    const time = () => `${digits(between(0, 23))}:${digits(between(0, 59))}:${digits(between(0, 59))}`;
    const ipv4 = () => `192.0.2.${between(1, 254)}`;
    const ipv6 = () => `2001:db8::${hex(4)}`;
    switch (format) {
      case "date-time":
        return `${date()}T${time()}Z`;
      case "date":
        return date();
      case "time":
        return `${time()}Z`;
      case "duration":
        return `PT${between(1, 59)}M`;
      case "email":
        return `offline@${host()}`;
      case "hostname":
        return host();
      case "uri":
      case "url":
        return `https://${host()}/${hex(4)}`;
      case "uuid":
        return `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`;
      case "ipv4":
        return ipv4();
      case "ipv6":
        return ipv6();
      case "cidrv4":
        return `${ipv4()}/24`;
      case "cidrv6":
        return `${ipv6()}/64`;
      case "base64":
      case "base64url":
        return btoa(hex(9));
      case "jwt":
        return `${base64url({ alg: "HS256", typ: "JWT" })}.${base64url({ sub: "offline" })}.${hex(16)}`;
      case "emoji":
        return "🙂";
      default:
        return undefined;
    }
  }
}

function base64url(value: object): string {
  return btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function expressionOf(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return new RegExp(pattern);
  }
}

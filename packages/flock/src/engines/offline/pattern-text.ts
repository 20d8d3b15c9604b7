import type { Random } from "./random.ts";

/** Preferred characters for a character class, most readable first. */
const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];
const OTHERS = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _-.,:;+*/=@#$%&!?'\"()<>[]{}|~^`\\äé☂🙂"];

/**
 * Generates a text that usually matches a regular expression. Lookarounds and back references are ignored, so the
 * caller must check the result.
 * @param spread maximum number of extra repetitions of `*` and `+`.
 */
export function textFor(pattern: string, random: Random, spread: number): string {
  return new Sampler(pattern, random, spread).alternatives();
}

/** Parses an expression and generates matching text. */
class Sampler {
  readonly #pattern: string;
  readonly #random: Random;
  readonly #spread: number;
  #at = 0;

  constructor(pattern: string, random: Random, spread: number) {
    this.#pattern = pattern;
    this.#random = random;
    this.#spread = spread;
  }

  /** `a|b|c`: parses all alternatives and generates one. */
  alternatives(): string {
    const found = [this.#sequence()];
    while (this.#take("|")) found.push(this.#sequence());
    return this.#random.pick(found);
  }

  #sequence(): string {
    let text = "";
    while (this.#at < this.#pattern.length && !"|)".includes(this.#pattern[this.#at] as string))
      text += this.#repeated();
    return text;
  }

  #repeated(): string {
    const start = this.#at;
    const once = this.#atom();
    const end = this.#at;
    const count = this.#quantity();
    if (count === undefined) return once;
    const after = this.#at;
    let text = "";
    for (let i = 0; i < count; i += 1) {
      this.#at = start;
      text += this.#atom();
    }
    this.#at = Math.max(after, end);
    return text;
  }

  #atom(): string {
    const character = this.#pattern[this.#at] as string;
    switch (character) {
      case "(":
        return this.#group();
      case "[":
        return this.#oneOf(this.#class());
      case "\\":
        return this.#escape();
      case "^":
      case "$":
        this.#at += 1;
        return "";
      case ".":
        this.#at += 1;
        return this.#random.pick(LETTERS);
      default: {
        const whole = String.fromCodePoint(this.#pattern.codePointAt(this.#at) as number);
        this.#at += whole.length;
        return whole;
      }
    }
  }

  #group(): string {
    this.#at += 1;
    const isLookaround = /^\?<?[=!]/.test(this.#pattern.slice(this.#at, this.#at + 3));
    const opening = /^\?(?:[:=!]|<[=!]|<\w+>)/.exec(this.#pattern.slice(this.#at));
    this.#at += opening?.[0].length ?? 0;
    const text = this.alternatives();
    this.#at += 1;
    return isLookaround ? "" : text;
  }

  /** Returns the source of a `[class]`. */
  #class(): string {
    const start = this.#at;
    this.#at += 1;
    for (; this.#at < this.#pattern.length && this.#pattern[this.#at] !== "]"; this.#at += 1) {
      if (this.#pattern[this.#at] === "\\") this.#at += 1;
    }
    this.#at += 1;
    return this.#pattern.slice(start, this.#at);
  }

  #escape(): string {
    const rest = this.#pattern.slice(this.#at);
    const [source] = /^\\(?:[pP]\{[^}]*\}|u\{[\da-f]+\}|u[\da-f]{4}|x[\da-f]{2}|c[a-z]|[\s\S]?)/i.exec(
      rest,
    ) as RegExpExecArray;
    this.#at += source.length;
    if (/^\\[bB]$/.test(source)) return "";
    return this.#oneOf(source);
  }

  #oneOf(source: string): string {
    let matches: (character: string) => boolean;
    try {
      const expression = new RegExp(`^${source}$`, "u");
      matches = (character) => expression.test(character);
    } catch {
      const expression = new RegExp(`^${source}$`);
      matches = (character) => expression.test(character);
    }
    const letters = LETTERS.filter(matches);
    const all = [...letters, ...OTHERS.filter(matches)];
    return all.length === 0 ? "" : this.#random.pick(letters.length > 0 && this.#random.chance(0.8) ? letters : all);
  }

  /** Returns the number of repetitions of the previous atom; undefined without a quantifier. */
  #quantity(): number | undefined {
    const found = /^(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})\??/.exec(this.#pattern.slice(this.#at));
    if (!found) return undefined;
    this.#at += found[0].length;
    const [, sign, least, comma, most] = found;
    if (sign === "?") return this.#random.between(0, 1);
    const from = sign ? Number(sign === "+") : Number(least);
    if (!sign && !comma) return from;
    const to = most ? Number(most) : Number.POSITIVE_INFINITY;
    return this.#random.between(from, Math.min(to, from + this.#spread));
  }

  #take(character: string): boolean {
    if (this.#pattern[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }
}

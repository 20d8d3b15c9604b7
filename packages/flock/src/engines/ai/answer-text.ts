/** The JSON values in a model's answer. */
export interface FoundValues {
  /** Values that can be the answer, in the order of the text. */
  readonly candidates: readonly unknown[];
  /** Entries of arrays of several. They are not the answer, but one of them that fits makes it ambiguous. */
  readonly others: readonly unknown[];
}

/**
 * Finds the objects in an answer: alone, in prose, in fenced code, in an array of one, or with trailing commas. The
 * model's thinking (`<think>…</think>`, under any of its usual names) is not part of its answer.
 * Nothing is taken out of a larger value. Finds nothing in a text that breaks off within a value: what is complete in
 * it may be a part of what is missing. Takes linear time.
 */
export function valuesIn(text: string): FoundValues {
  const candidates: unknown[] = [];
  const others: unknown[] = [];
  for (let at = 0; at < text.length; ) {
    const start = nextStart(text, at);
    if (start === undefined) break;
    if (text[start] === "<") {
      if (matchAt(THINKING, text, start)) {
        const end = matchAfter(THOUGHT, text, start);
        // Without an end, the thinking is all that there is.
        if (end === undefined) break;
        at = end;
      } else {
        // The beginning of the thinking is part of the prompt of some models.
        if (matchAt(THOUGHT, text, start)) candidates.length = others.length = 0;
        at = start + 1;
      }
      continue;
    }
    const end = endOf(text, start);
    if (end === undefined) return { candidates: [], others: [] };
    add(parse(text.slice(start, end)), candidates, others);
    at = end;
  }
  return { candidates, others };
}

const THINKING = "<(?:think|thinking|thought|reasoning)>";
const THOUGHT = "</(?:think|thinking|thought|reasoning)>";

function matchAt(tag: string, text: string, at: number): boolean {
  const pattern = new RegExp(tag, "iy");
  pattern.lastIndex = at;
  return pattern.test(text);
}

/** Returns where the next match ends. */
function matchAfter(tag: string, text: string, at: number): number | undefined {
  const pattern = new RegExp(tag, "ig");
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}

function nextStart(text: string, from: number): number | undefined {
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === "{" || char === "[" || char === "<") return at;
  }
  return undefined;
}

/** Returns where a bracketed part ends; undefined when the text ends first. */
function endOf(text: string, start: number): number | undefined {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at);
        break;
      case "{":
      case "[":
        depth += 1;
        break;
      case "}":
      case "]":
        depth -= 1;
        if (depth === 0) return at + 1;
    }
  }
  return undefined;
}

/** Returns where a string's closing quote is, or the end of the text. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at;
}

function add(value: unknown, candidates: unknown[], others: unknown[]): void {
  if (!Array.isArray(value)) {
    if (typeof value === "object" && value !== null) candidates.push(value);
  } else if (value.length === 1) add(value[0], candidates, others);
  else others.push(...value);
}

/** Parses JSON that may have trailing commas; undefined when it is something else. */
function parse(json: string): unknown {
  for (const attempt of [json, withoutTrailingCommas(json)]) {
    try {
      return JSON.parse(attempt);
    } catch {
      // Prose in brackets, or a notation that is close to JSON.
    }
  }
  return undefined;
}

function withoutTrailingCommas(json: string): string {
  let result = "";
  let copied = 0;
  for (let at = 0; at < json.length; at++) {
    if (json[at] === '"') at = endOfString(json, at);
    else if (json[at] === "," && /^\s*[}\]]/.test(json.slice(at + 1, at + 1 + MAX_SPACE))) {
      result += json.slice(copied, at);
      copied = at + 1;
    }
  }
  return result + json.slice(copied);
}

/** Longest white space after a trailing comma, in characters, so that the search stays linear. */
const MAX_SPACE = 200;

/**
 * Parses JSON from outside the process. Kept free of dependencies.
 *
 * `JSON.parse` accepts any nesting depth, but `JSON.stringify`, schemas and most other consumers recurse and overflow the
 * stack at a few thousand levels. It also changes numbers that a double cannot represent. So both are checked before parsing,
 * in linear time and without recursion.
 */

/** How many arrays and objects can be nested in a message or body. */
export const MAX_JSON_DEPTH = 128;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Parses JSON of unknown origin.
 * @throws SyntaxError when `text` is not JSON, and as {@link checkJson} does.
 */
export function parseUntrustedJson(text: string): unknown {
  checkJson(text);
  return JSON.parse(text);
}

/**
 * Checks the nesting depth and the numbers of JSON without parsing it.
 * @throws RangeError when `text` nests deeper than {@link MAX_JSON_DEPTH}, and when it contains an integer that is not
 * exact as a number, such as 2^53 + 1, or a number beyond the largest one.
 */
export function checkJson(text: string): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case QUOTE:
        i = endOfString(text, i);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        depth += 1;
        if (depth > MAX_JSON_DEPTH) {
          throw new RangeError(
            `JSON is nested too deeply: the limit is ${MAX_JSON_DEPTH} levels of arrays and objects. Flatten it.`,
          );
        }
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth -= 1;
        break;
      default:
        if (isNumberStart(text.charCodeAt(i))) i = endOfNumber(text, i);
    }
  }
}

/** An integer of fewer digits is exact. */
const EXACT_DIGITS = 15;

function isNumberStart(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2d;
}

/** Returns the index of the last character of the number that begins at `start`. Throws when it is not exact. */
function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  let hasExponent = false;
  for (; ; end++) {
    const code = text.charCodeAt(end);
    if (code === 0x45 || code === 0x65) hasExponent = true;
    // Digits, signs, the decimal point, and `e` or `E`.
    else if (!isNumberStart(code) && code !== 0x2b && code !== 0x2e) break;
  }
  if (hasExponent || end - start > EXACT_DIGITS) checkNumber(text, start, end);
  return end - 1;
}

function checkNumber(text: string, start: number, end: number): void {
  const digits = text.slice(start, end);
  const value = Number(digits);
  // Not a number: the parser reports it.
  if (Number.isNaN(value)) return;
  if (Number.isFinite(value) && (!/^-?\d+$/.test(digits) || BigInt(digits) === BigInt(value))) return;
  const path = pathAt(text, start).join(".");
  const number = digits.length > 40 ? `${digits.slice(0, 40)}…` : digits;
  throw new RangeError(
    `${path === "" ? "the value" : path}: the number ${number} cannot be represented exactly. Send it as a string.`,
  );
}

/** Returns the path of the value that begins at `position`, for an error: the keys and indexes that lead to it. */
function pathAt(text: string, position: number): (string | number)[] {
  const path: (string | number)[] = [];
  /** Whether each open container is an object whose next string is a key. */
  const awaitsKey: boolean[] = [];
  for (let i = 0; i < position; i++) {
    const code = text.charCodeAt(i);
    const last = path.length - 1;
    if (code === QUOTE) {
      const end = endOfString(text, i);
      if (awaitsKey[last]) {
        path[last] = text.slice(i + 1, end);
        awaitsKey[last] = false;
      }
      i = end;
    } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      path.push(code === OPEN_OBJECT ? "" : 0);
      awaitsKey.push(code === OPEN_OBJECT);
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      path.pop();
      awaitsKey.pop();
    } else if (code === COMMA && last >= 0) {
      const current = path[last];
      if (typeof current === "number") path[last] = current + 1;
      else awaitsKey[last] = true;
    }
  }
  return path;
}

/** Returns the index of the quote that ends the string that begins at `start`, or the last index of the text. */
function endOfString(text: string, start: number): number {
  for (let end = start; ; ) {
    end = text.indexOf('"', end + 1);
    if (end === -1) return text.length;
    let slash = end;
    while (text.charCodeAt(slash - 1) === BACKSLASH) slash -= 1;
    if ((end - slash) % 2 === 0) return end;
  }
}

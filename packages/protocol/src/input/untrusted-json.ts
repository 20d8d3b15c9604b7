/**
 * Parses JSON from outside the process. Kept free of dependencies.
 *
 * `JSON.parse` accepts any nesting depth, but `JSON.stringify`, schemas and most other consumers recurse and overflow the
 * stack at a few thousand levels. So the depth is checked before parsing, in linear time and without recursion.
 */

/** How many arrays and objects can be nested in a message or body. */
export const MAX_JSON_DEPTH = 128;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Parses JSON of unknown origin.
 * @throws SyntaxError when `text` is not JSON, and as {@link checkJsonDepth} does.
 */
export function parseUntrustedJson(text: string): unknown {
  checkJsonDepth(text);
  return JSON.parse(text);
}

/**
 * Checks the nesting depth of JSON without parsing it.
 * @throws RangeError when `text` nests deeper than {@link MAX_JSON_DEPTH}.
 */
export function checkJsonDepth(text: string): void {
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
    }
  }
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

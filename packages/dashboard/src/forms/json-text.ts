import { findNodeAtLocation, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";

/** A stretch of a text, and where people find it. */
export interface Spot {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly offset: number;
  readonly length: number;
}

/** Something wrong in a text, and where. */
export interface Problem extends Spot {
  readonly message: string;
}

/** What a text says as JSON, or where it is none. */
export type ReadJson = { readonly value: unknown } | { readonly problem: Problem };

const MISTAKES: Readonly<Record<string, string>> = {
  InvalidSymbol: "not a value: strings need double quotes",
  InvalidNumberFormat: "not a number",
  PropertyNameExpected: "expected a field name in double quotes",
  ValueExpected: "expected a value",
  ColonExpected: "expected a colon",
  CommaExpected: "expected a comma",
  CloseBraceExpected: "expected a closing brace }",
  CloseBracketExpected: "expected a closing bracket ]",
  EndOfFileExpected: "unexpected text after the end",
  InvalidCommentToken: "JSON does not allow comments",
  UnexpectedEndOfString: "unterminated string: expected a double quote",
  InvalidUnicode: "invalid Unicode escape",
  InvalidEscapeCharacter: "invalid escape sequence",
  InvalidCharacter: "this character must be escaped",
};

/** Reads JSON as `JSON.parse` does; but says where it is wrong, and how. */
export function readJson(text: string): ReadJson {
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    const errors: ParseError[] = [];
    parseTree(text, errors, { disallowComments: true, allowTrailingComma: false });
    const [first] = errors;
    const message = first && MISTAKES[printParseErrorCode(first.error)];
    return {
      problem: {
        message: message ?? (error as Error).message,
        ...spotAt(text, first?.offset ?? 0, first?.length ?? 0),
      },
    };
  }
}

/** Where the value at a path stands in a text; for a field that is missing, what it is missing in. */
export function spotOf(text: string, path: readonly PropertyKey[]): Spot {
  const tree = parseTree(text);
  for (let length = path.length; tree && length >= 0; length--) {
    const found = findNodeAtLocation(tree, partsOf(path.slice(0, length)));
    if (found) return spotAt(text, found.offset, found.length);
  }
  return spotAt(text, 0, 0);
}

function spotAt(text: string, offset: number, length: number): Spot {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, offset, length };
}

/** Places in lists may come as texts. */
function partsOf(path: readonly PropertyKey[]): (string | number)[] {
  return path.map((part) =>
    typeof part === "string" && /^\d+$/.test(part) ? Number(part) : (part as string | number),
  );
}

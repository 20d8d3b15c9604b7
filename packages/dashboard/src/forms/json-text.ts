import { findNodeAtLocation, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser";

/** A range of a text with its line and column. */
export interface Spot {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  readonly offset: number;
  readonly length: number;
}

/** A problem in a text and its position. */
export interface Problem extends Spot {
  readonly message: string;
}

/** The parsed value of a JSON text, or its first problem. */
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

/** Parses JSON like `JSON.parse`, and reports the position and reason of an error. */
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

/** Finds the value at a path in a text. For a missing field, finds its parent. */
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

/** List indices may be strings. */
function partsOf(path: readonly PropertyKey[]): (string | number)[] {
  return path.map((part) =>
    typeof part === "string" && /^\d+$/.test(part) ? Number(part) : (part as string | number),
  );
}

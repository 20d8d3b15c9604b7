import ts from "typescript";
import { BANNED_WORDS } from "./words.ts";

/** Lints the comments, strings and JSX texts of a module. Returns one message per fault, beginning with the line number. */
export function lintSource(file: string, text: string): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const ranges = new Map<number, number>();
  const visit = (node: ts.Node): void => {
    for (const { pos, end } of ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []) ranges.set(pos, end);
    for (const { pos, end } of ts.getTrailingCommentRanges(text, node.getEnd()) ?? []) ranges.set(pos, end);
    if (isText(node)) ranges.set(node.getStart(source), node.getEnd());
    for (const child of node.getChildren(source)) visit(child);
  };
  visit(source);
  return [...ranges].flatMap(([start, end]) => {
    const prose = text.slice(start, end).replaceAll(/`[^`\n]*`/g, (code) => " ".repeat(code.length));
    return BANNED_WORDS.flatMap(({ pattern, instead }) =>
      [...prose.matchAll(pattern)].map(({ 0: found, index }) => {
        const { line } = source.getLineAndCharacterOfPosition(start + index);
        return `${line + 1}: "${found}": use ${instead}`;
      }),
    );
  });
}

function isText(node: ts.Node): boolean {
  if (ts.isSourceFile(node) || ts.isImportDeclaration(node.parent) || ts.isExportDeclaration(node.parent)) return false;
  return ts.isStringLiteral(node) || ts.isTemplateLiteralToken(node) || ts.isJsxText(node);
}

/** A step of a JSON path: a field name or a list index. */
export type PathPart = string | number;

const PLAIN_NAME = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u;

/** Formats a path as JSONPath: `$.toppings[0]["grams per slice"]`. */
export function pathText(path: readonly PathPart[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text + (PLAIN_NAME.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`);
  }, "$");
}

/** A step into JSON: the name of a field, or the place in a list. */
export type PathPart = string | number;

const PLAIN_NAME = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u;

/** A path as people write it, and as JSONPath tools read it: `$.toppings[0]["grams per slice"]`. */
export function pathText(path: readonly PathPart[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text + (PLAIN_NAME.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`);
  }, "$");
}

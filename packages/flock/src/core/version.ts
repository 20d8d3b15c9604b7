import { readFileSync } from "node:fs";

/** The version of this package, as reported by `hello` and the API documents. */
export const VERSION: string = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;

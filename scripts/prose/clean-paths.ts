/** Globs of the files that `npm run check` lints for prose. */
export const CLEAN_PATHS: readonly string[] = ["**/*.md", "**/*.{ts,tsx,mjs}"];

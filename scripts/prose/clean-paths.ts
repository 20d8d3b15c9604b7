/**
 * Globs of the files that `npm run check` lints for prose. Add a path when it passes; the goal is every file:
 * `["**\/*.md", "**\/*.{ts,tsx,mjs}"]`.
 */
export const CLEAN_PATHS: readonly string[] = ["scripts/*.{ts,mjs}", "scripts/docs/*.ts", "tsdown.config.ts"];

// Lints the prose of Markdown files, and of the comments and strings of modules.
//
//   node scripts/prose/main.ts              the paths of clean-paths.ts, as `npm run check` does
//   node scripts/prose/main.ts --all        every file of the project
//   node scripts/prose/main.ts GLOB…        these files
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../run.ts";
import { CLEAN_PATHS } from "./clean-paths.ts";
import { lintMarkdown } from "./markdown.ts";
import { lintSource } from "./source.ts";

const EVERY_FILE = ["**/*.md", "**/*.{ts,tsx,mjs}"];
/** Generated files, and the newsroom's article: its long sentences are what the agents find. */
const NEVER =
  /(^|\/)(node_modules|dist|\.cache|\.git|api|results)(\/|$)|^packages\/flock\/dashboard(\/|$)|prose\/words\.ts$|newsroom\/article\.md$/;

const args = process.argv.slice(2);
const globs = args.includes("--all") ? EVERY_FILE : args.length > 0 ? args : CLEAN_PATHS;
const files = globSync([...globs], { cwd: ROOT, exclude: (path) => NEVER.test(path) })
  .filter((path) => !NEVER.test(path))
  .sort();
let faults = 0;
for (const file of files) {
  const text = readFileSync(join(ROOT, file), "utf8");
  const messages = file.endsWith(".md") ? await lintMarkdown(text) : lintSource(file, text);
  for (const message of messages) console.log(`${file}:${message}`);
  faults += messages.length;
}
console.log(`${faults} faults in ${files.length} files`);
process.exit(faults > 0 ? 1 : 0);

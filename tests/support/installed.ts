import { existsSync } from "node:fs";

/**
 * The path of a program of Debian, given back when it is there.
 * Throws when it is missing: a test that needs it must fail, not be skipped.
 */
export function installed(path: string, debianPackage: string): string {
  if (existsSync(path)) return path;
  throw new Error(`${path} is missing (Debian package ${debianPackage}): \`npm test\` installs it.`);
}

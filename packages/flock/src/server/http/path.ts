import { z } from "zod";

/**
 * Joins path pieces with single slashes: `/plugin/` and `ws` give `/plugin/ws`.
 * Slashes too many or too few do not matter; nothing at all gives `/`.
 */
export function joinPath(...pieces: readonly string[]): string {
  const segments = pieces.flatMap((piece) => piece.split("/")).filter((segment) => segment !== "");
  return `/${segments.join("/")}`;
}

/** A prefix as others append to it: `/api/plugin/` gives `/api/plugin`, and `/` gives an empty string. */
export function basePath(prefix: string): string {
  const path = joinPath(prefix);
  return path === "/" ? "" : path;
}

/**
 * The `prefix` option of components. The router gives `:` and `*` a meaning of their own; a URL path ends at `?` and
 * `#`; clients resolve `.` and `..` themselves. Such a prefix could never be reached as it is written.
 */
export const prefixSchema = z
  .string()
  .regex(/^[^?#*:%\\\s]*$/, "a prefix is plain path segments such as /plugin/: no ? # * : % \\ and no spaces")
  .refine((prefix) => !prefix.split("/").some((segment) => segment === "." || segment === ".."), {
    message: "a prefix cannot have . or .. as a segment",
  });

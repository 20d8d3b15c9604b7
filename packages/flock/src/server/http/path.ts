import { z } from "zod";

/**
 * Joins paths with single slashes: `/plugin/` and `ws` give `/plugin/ws`. Missing and extra slashes do not matter.
 * Returns `/` without any segment.
 */
export function joinPath(...pieces: readonly string[]): string {
  const segments = pieces.flatMap((piece) => piece.split("/")).filter((segment) => segment !== "");
  return `/${segments.join("/")}`;
}

/** Returns a prefix to append paths to: `/api/plugin/` gives `/api/plugin`, `/` gives an empty string. */
export function basePath(prefix: string): string {
  const path = joinPath(prefix);
  return path === "/" ? "" : path;
}

/**
 * The `prefix` option of components. The router interprets `:` and `*`, a URL path ends at `?` and `#`, and clients
 * resolve `.` and `..`. No request could match a prefix with any of them.
 */
export const prefixSchema = z
  .string()
  .regex(/^[^?#*:%\\\s]*$/, "a prefix is plain path segments such as /plugin/: no ? # * : % \\ and no spaces")
  .refine((prefix) => !prefix.split("/").some((segment) => segment === "." || segment === ".."), {
    message: "a prefix cannot have . or .. as a segment",
  });

import type { WireError } from "@flock-ts/protocol";

/** An error as a text to paste elsewhere: as Node prints it, with what lay under it. */
export function errorText(error: WireError): string {
  const parts: string[] = [];
  type One = Pick<WireError, "name" | "message" | "stack"> & { readonly cause?: One | undefined };
  for (let one: One | undefined = error; one; one = one.cause) {
    const { name, message, stack } = one;
    // A stack repeats the message, but may have it cut, or another name before it.
    const places = stack?.slice(Math.max(0, stack.search(/\n\s+at /))) ?? "";
    parts.push(`${name}: ${message}${places}`);
  }
  return parts.join("\ncaused by ");
}

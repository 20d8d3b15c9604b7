import type { WireError } from "@flock-ts/protocol";

/** Formats an error to copy, as Node prints it, with its causes. */
export function errorText(error: WireError): string {
  const parts: string[] = [];
  type One = Pick<WireError, "name" | "message" | "stack"> & { readonly cause?: One | undefined };
  for (let one: One | undefined = error; one; one = one.cause) {
    const { name, message, stack } = one;
    // A stack repeats the message, possibly cut or with another name.
    const stackLines = stack?.slice(Math.max(0, stack.search(/\n\s+at /))) ?? "";
    parts.push(`${name}: ${message}${stackLines}`);
  }
  return parts.join("\ncaused by ");
}

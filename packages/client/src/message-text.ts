import type { Issue } from "@flock-ts/protocol";
import { FlockClientError } from "./errors.ts";

/** A command. */
export interface CommandMessage {
  readonly type: string;
  readonly [field: string]: unknown;
}

/**
 * Returns a command as JSON. Other programs receive what the caller has: what JSON would leave out or change without an
 * error, such as `NaN`, a `Map` or a function, is refused with its path. Dates are sent as text.
 *
 * @throws FlockClientError with code `invalid_message`.
 */
export function textOf(message: CommandMessage): string {
  const paths = new Map<unknown, Issue["path"]>();
  let path: Issue["path"] = [];
  try {
    return JSON.stringify(message, function (this: unknown, key, value: unknown) {
      if (paths.size > 0) path = [...(paths.get(this) ?? []), Array.isArray(this) ? Number(key) : key];
      const what = changedByJson(value) ?? (Array.isArray(this) && value === undefined ? "`undefined`" : undefined);
      if (what) throw new TypeError(`${what} is not JSON`);
      if (typeof value === "object") paths.set(value, path);
      return value;
    });
  } catch (error) {
    // The engine's message about a cycle has several lines.
    const [why = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    throw new FlockClientError({
      code: "invalid_message",
      message: `Command \`${message.type}\` failed: \`${path.join(".")}\`: ${why}. Send what JSON can express.`,
      issues: [{ path, message: why }],
    });
  }
}

/** Describes a value that JSON would leave out or change; undefined for others. */
function changedByJson(value: unknown): string | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `\`${value}\``;
  if (typeof value === "bigint" || typeof value === "function" || typeof value === "symbol") return `a ${typeof value}`;
  const kind = Object.prototype.toString.call(value).slice(8, -1);
  return typeof value !== "object" || /^(Null|Object|Array|String|Number|Boolean)$/.test(kind)
    ? undefined
    : `a ${kind}`;
}

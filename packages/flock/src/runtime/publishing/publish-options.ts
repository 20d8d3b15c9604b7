import { Draft } from "../../blackboard/artifact-type.ts";
import { FlockError } from "../../core/errors.ts";

/** Options of `publish`, and of `invoke`. */
const NAMES = {
  publish: new Set(["tags", "correlationId", "visibility", "idempotencyKey"]),
  invoke: new Set(["correlationId", "visibility"]),
};

/**
 * Checks the names of options, and that ids are strings. Written by hand, because every publish passes here.
 * @throws FlockError `invalid_options`.
 */
export function checkPublishOptions(action: keyof typeof NAMES, options: unknown): void {
  if (typeof options !== "object" || options === null)
    throw invalid(action, `they are \`${String(options)}\`. Pass an object`);
  if (options instanceof Draft)
    throw invalid(action, `they are a draft. Pass several drafts as a list: \`flock.${action}([first, second])\``);
  const names = NAMES[action];
  for (const name in options) {
    if (!names.has(name)) throw invalid(action, `\`${name}\` is unknown. Use ${[...names].join(", ")}`);
  }
  const { correlationId, idempotencyKey } = options as Readonly<Record<string, unknown>>;
  for (const [name, value] of [
    ["correlationId", correlationId],
    ["idempotencyKey", idempotencyKey],
  ]) {
    if (value !== undefined && typeof value !== "string")
      throw invalid(action, `\`${name}\` is \`${String(value)}\`. Pass a string`);
  }
}

function invalid(action: string, why: string): FlockError {
  return new FlockError("invalid_options", `Invalid options for \`${action}\`: ${why}.`);
}

import { checkJson } from "@flock-ts/protocol";
import { FlockError } from "../../core/errors.ts";

/**
 * Checks a JSON body before it is parsed, as `checkJson` does.
 * @throws FlockError `invalid_request`.
 */
export function checkJsonBody(body: string): void {
  try {
    checkJson(body);
  } catch (error) {
    throw new FlockError("invalid_request", `Cannot parse the body: ${(error as Error).message}`);
  }
}

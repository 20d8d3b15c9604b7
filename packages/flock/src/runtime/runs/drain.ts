import { FlockError } from "../../core/errors.ts";
import { describe } from "./output-check.ts";
import { TimeShare } from "./time-share.ts";

/** Receives what a generator yields, and knows when it must end. */
export interface Drain {
  readonly agent: string;
  /** Why the run was stopped; undefined while it goes on. */
  stopped(): unknown;
  write(text: string): void;
}

/**
 * Runs an agent's generator to its end and returns its return value. Gives way to the event loop every few milliseconds.
 * @throws the reason of a stop, or FlockError `wrong_output` for what is no string.
 */
export async function drain(generator: AsyncGenerator<unknown, unknown, undefined>, to: Drain): Promise<unknown> {
  const time = new TimeShare();
  for (;;) {
    const { done, value } = await generator.next();
    const turn = time.giveWay();
    if (turn) await turn;
    const reason = to.stopped();
    if (reason !== undefined) {
      // The generator's `finally` blocks must run, but nothing waits for them.
      generator.return(undefined).catch(() => {});
      throw reason;
    }
    if (done) return value;
    if (typeof value !== "string") {
      throw new FlockError(
        "wrong_output",
        `Invalid output of agent \`${to.agent}\`: it yielded ${describe(value)}. Yield strings to stream, and return drafts to publish.`,
      );
    }
    to.write(value);
  }
}

import { FlockError } from "../core/errors.ts";
import type { RunContext } from "./run-context.ts";

/** Finds out something that a run should know beside its inputs. What a model is to read must be JSON. */
export type ContextProvider<T = unknown> = (context: RunContext) => T | Promise<T>;

/** Providers by the name under which the run finds what they give. */
export type ContextProviders = Readonly<Record<string, ContextProvider>>;

/** What providers give, by name. */
export type GivenBy<P extends ContextProviders> = { readonly [K in keyof P]: Awaited<ReturnType<P[K]>> };

/**
 * Asks all providers at once, and then runs the agent with what they have given.
 * @throws FlockError `context_failed` when one of them throws, naming it.
 */
export async function* runWithContext(
  providers: ContextProviders,
  context: RunContext,
  run: () => unknown,
): AsyncGenerator<string, unknown, undefined> {
  const given = await Promise.all(
    Object.entries(providers).map(async ([name, provide]) => [name, await provideOne(name, provide, context)] as const),
  );
  // Only now is it known; nobody has read it before.
  const open: { given: RunContext["given"] } = context;
  open.given = Object.freeze(Object.fromEntries(given));
  const result = run();
  return isGenerator(result) ? yield* result : await result;
}

async function provideOne(name: string, provide: ContextProvider, context: RunContext): Promise<unknown> {
  try {
    return await provide(context);
  } catch (cause) {
    context.signal.throwIfAborted();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FlockError(
      "context_failed",
      `agent ${context.agent}: its context ${JSON.stringify(name)} failed: ${reason}`,
      {
        cause,
      },
    );
  }
}

/** Whether a function has given a generator: something that yields before it returns. */
export function isGenerator(value: unknown): value is AsyncGenerator<string, unknown, undefined> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value && "next" in value;
}

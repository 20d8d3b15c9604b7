import { FlockError } from "../core/errors.ts";
import type { RunContext } from "./run-context.ts";

/** Computes additional context for a run. Results for a model must be JSON. */
export type ContextProvider<T = unknown> = (context: RunContext) => T | Promise<T>;

/** Context providers by the name of their result. */
export type ContextProviders = Readonly<Record<string, ContextProvider>>;

/** The results of context providers by name. */
export type GivenBy<P extends ContextProviders> = { readonly [K in keyof P]: Awaited<ReturnType<P[K]>> };

/**
 * Runs all providers in parallel, then the agent with their results.
 * @throws FlockError `context_failed`, naming the provider that threw.
 */
export async function* runWithContext(
  providers: ContextProviders,
  context: RunContext,
  run: () => unknown,
): AsyncGenerator<string, unknown, undefined> {
  const given = await Promise.all(
    Object.entries(providers).map(async ([name, provide]) => [name, await provideOne(name, provide, context)] as const),
  );
  // `given` is read-only for agents; it is set once, before the agent's function starts.
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
      `Context provider \`${name}\` of agent \`${context.agent}\` failed: ${reason}`,
      { cause },
    );
  }
}

/** Returns whether a value is an async generator. */
export function isGenerator(value: unknown): value is AsyncGenerator<string, unknown, undefined> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value && "next" in value;
}

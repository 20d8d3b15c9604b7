import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The arguments of a call, and what it gives back. */
type Arguments<Call> = Call extends (...given: infer A) => unknown ? A : never;
type Result<Call> = Call extends (...given: never) => infer R ? Awaited<R> : never;

interface Question {
  readonly id: number;
  readonly call: string;
  readonly given: readonly unknown[];
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A process that answers `Calls`, an interface of functions. */
export interface Child<Calls> {
  /** Rejects when the call fails, and when the process ends before it has answered. */
  ask<Name extends keyof Calls & string>(call: Name, ...given: Arguments<Calls[Name]>): Promise<Result<Calls[Name]>>;
  /** Ends the process, whatever it does. Resolves when it is gone. */
  end(): Promise<void>;
}

/** Starts a file of this folder as a process of its own. `options` is what its {@link optionsOf} reads. */
export function start<Calls>(file: string, options: object = {}): Child<Calls> {
  const child: ChildProcess = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(options)], {
    execArgv: ["--expose-gc", "--disable-warning=ExperimentalWarning"],
    env: { ...process.env, FLOCK_LOG_LEVEL: "error", NODE_ENV: "production" },
  });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let asked = 0;
  let ended: Error | undefined;
  child.on("message", ({ id, result, error }: Answer) => {
    const question = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) question?.resolve(result);
    else question?.reject(new Error(`${file}: ${error}`));
  });
  const gone = new Promise<void>((resolve) => {
    child.on("exit", (code, signal) => {
      ended = new Error(`${file} ended with ${code ?? signal}`);
      for (const question of waiting.values()) question.reject(ended);
      resolve();
    });
  });
  return {
    ask: (call, ...given) => {
      if (ended) return Promise.reject(ended);
      const question = Promise.withResolvers<unknown>();
      const id = asked++;
      waiting.set(id, question);
      // Without somebody who hears of it, a channel that closed a moment before its process ended ends this one too.
      child.send({ id, call, given } satisfies Question, (error) => {
        if (!error) return;
        waiting.delete(id);
        question.reject(new Error(`${file} can no longer be asked: ${error.message}`));
      });
      return question.promise as never;
    },
    end: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** What {@link start} was told, in the process that it started. */
export function optionsOf<Options extends object>(): Partial<Options> {
  return JSON.parse(process.argv[2] ?? "{}") as Partial<Options>;
}

/** Answers the process that started this one. */
export function answer<Calls>(calls: Calls): void {
  process.on("message", async ({ id, call, given }: Question) => {
    const say = (answer: Answer) => process.send?.(answer);
    try {
      const handler = calls[call as keyof Calls] as (...given: readonly unknown[]) => unknown;
      say({ id, result: await handler(...given) });
    } catch (error) {
      say({ id, error: (error as Error).message });
    }
  });
  // Nobody is left who could end it.
  process.on("disconnect", () => process.exit(1));
}

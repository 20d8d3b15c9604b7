import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Arguments and result of a call. */
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

/** A process that implements `Calls`, an interface of functions. */
export interface Child<Calls> {
  /** Calls a function. Rejects when the call fails or the process ends before the answer. */
  ask<Name extends keyof Calls & string>(call: Name, ...given: Arguments<Calls[Name]>): Promise<Result<Calls[Name]>>;
  /** Kills the process. Resolves when it has ended. */
  end(): Promise<void>;
}

/** Starts a file of this folder as a separate process. It reads `options` with {@link optionsOf}. */
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
      // Without a callback, a channel that closes just before its process ends would end this process, too.
      child.send({ id, call, given } satisfies Question, (error) => {
        if (!error) return;
        waiting.delete(id);
        question.reject(new Error(`failed to call ${file}: ${error.message}`));
      });
      return question.promise as never;
    },
    end: async () => {
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** Returns the options that {@link start} passed to this process. */
export function optionsOf<Options extends object>(): Partial<Options> {
  return JSON.parse(process.argv[2] ?? "{}") as Partial<Options>;
}

/** Answers calls of the process that started this one. */
export function answer<Calls>(calls: Calls): void {
  process.on("message", async ({ id, call, given }: Question) => {
    const send = (answer: Answer) => process.send?.(answer);
    try {
      const handler = calls[call as keyof Calls] as (...given: readonly unknown[]) => unknown;
      send({ id, result: await handler(...given) });
    } catch (error) {
      send({ id, error: (error as Error).message });
    }
  });
  // The parent is gone, so nothing else could end this process.
  process.on("disconnect", () => process.exit(1));
}

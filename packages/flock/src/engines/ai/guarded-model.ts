import { type LanguageModel, wrapLanguageModel } from "ai";
import type { ModelObject } from "../../agents/model.ts";
import type { Clock } from "../../core/clock.ts";
import type { Redaction } from "../../core/redaction.ts";
import { withoutSecrets } from "./redacted-prompt.ts";

type Wrapped = Parameters<typeof wrapLanguageModel>[0];
type Middleware = Exclude<NonNullable<Wrapped["middleware"]>, readonly unknown[]>;

/** What guards a model. */
export interface Guards {
  readonly redaction: Redaction | undefined;
  /** Longest time between two pieces of an answer, in ms. */
  readonly idleTimeout: number;
  readonly clock: Clock;
}

/** A model sent nothing for too long. */
export class ModelStalled extends Error {
  override readonly name = "ModelStalled";

  constructor(ms: number) {
    super(`it sent nothing for ${ms} ms. Raise \`idleTimeout\` if it needs longer`);
  }
}

/**
 * Wraps a model so that all prompts are redacted (inputs, history, instructions and tool results), and a request ends
 * when the model sends nothing for too long. The time that tools and people take does not count.
 */
export function guardedModel(model: ModelObject, { redaction, idleTimeout, clock }: Guards): LanguageModel {
  const middleware: Middleware = {
    specificationVersion: "v4",
    wrapStream: async ({ model: inner, params }) => {
      const end = new AbortController();
      const { abortSignal: given } = params;
      const abortSignal = given ? AbortSignal.any([given, end.signal]) : end.signal;
      const inTime = <T>(work: PromiseLike<T>): Promise<T> =>
        unlessIdle(work, { clock, idleTimeout, stop: (reason) => end.abort(reason) });
      const { stream, ...rest } = await inTime(inner.doStream({ ...params, abortSignal }));
      const reader = stream.getReader();
      // One piece is requested at a time, so that only the model's own time counts.
      const pieces = new ReadableStream(
        {
          async pull(controller) {
            const { done, value } = await inTime(reader.read());
            if (done) controller.close();
            else controller.enqueue(value);
          },
          cancel: (reason) => reader.cancel(reason),
        },
        { highWaterMark: 0 },
      );
      return { ...rest, stream: pieces };
    },
  };
  if (redaction) {
    middleware.transformParams = async ({ params }) => ({
      ...params,
      prompt: withoutSecrets(params.prompt, redaction),
    });
  }
  return wrapLanguageModel({ model: model as Wrapped["model"], middleware });
}

interface IdleLimit {
  readonly clock: Clock;
  readonly idleTimeout: number;
  readonly stop: (reason: Error) => void;
}

async function unlessIdle<T>(work: PromiseLike<T>, { clock, idleTimeout, stop }: IdleLimit): Promise<T> {
  const { promise: idle, reject } = Promise.withResolvers<never>();
  const cancelTimer = clock.after(
    idleTimeout,
    () => {
      const error = new ModelStalled(idleTimeout);
      reject(error);
      stop(error);
    },
    true,
  );
  try {
    return await Promise.race([work, idle]);
  } finally {
    cancelTimer();
  }
}

import { z } from "zod";
import type { Model } from "./model.ts";

/** Price of a model per million tokens, in any currency. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
}

/** Model prices by `provider/model` or by model. */
export type Prices = Readonly<Record<string, ModelPrice>>;

/** Validates the `prices` option. */
export const pricesSchema = z.record(
  z.string(),
  z.strictObject({ input: z.number().min(0), output: z.number().min(0) }),
);

/** Number of tokens that a price covers. */
const PRICED_TOKENS = 1_000_000;

/** Returns the names under which a model's price may be listed, most specific first. */
export function pricedNamesOf(model: Model): readonly [string, ...string[]] {
  if (typeof model === "string") return [model, model.slice(model.indexOf("/") + 1)];
  // AI SDK providers include the API variant in their name: `openai.responses`.
  return [`${model.provider.split(".")[0]}/${model.modelId}`, model.modelId];
}

/** Returns the price of a model; undefined when it is not listed. */
export function priceOf(model: Model, prices: Prices): ModelPrice | undefined {
  const name = pricedNamesOf(model).find((each) => Object.hasOwn(prices, each));
  return name === undefined ? undefined : prices[name];
}

/** Returns the cost of a number of tokens. */
export function costOf(price: ModelPrice, { input, output }: { input: number; output: number }): number {
  return (input * price.input + output * price.output) / PRICED_TOKENS;
}

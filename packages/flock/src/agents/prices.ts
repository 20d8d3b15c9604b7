import { z } from "zod";
import type { Model } from "./model.ts";

/** What a model costs, in any currency, for each million tokens. */
export interface ModelPrice {
  readonly input: number;
  readonly output: number;
}

/** What models cost, by `provider/model` or by model. */
export type Prices = Readonly<Record<string, ModelPrice>>;

/** Checks what a user says of prices. */
export const pricesSchema = z.record(
  z.string(),
  z.strictObject({ input: z.number().min(0), output: z.number().min(0) }),
);

/** Prices are for so many tokens. */
const PRICED_TOKENS = 1_000_000;

/** Under which names the price of a model may stand, the most exact first. */
export function pricedNamesOf(model: Model): readonly [string, ...string[]] {
  if (typeof model === "string") return [model, model.slice(model.indexOf("/") + 1)];
  // Providers of the AI SDK tell which of their interfaces they use: `openai.responses`.
  return [`${model.provider.split(".")[0]}/${model.modelId}`, model.modelId];
}

/** What a model costs; undefined when nobody has said. */
export function priceOf(model: Model, prices: Prices): ModelPrice | undefined {
  const name = pricedNamesOf(model).find((each) => Object.hasOwn(prices, each));
  return name === undefined ? undefined : prices[name];
}

/** What so many tokens cost. */
export function costOf(price: ModelPrice, { input, output }: { input: number; output: number }): number {
  return (input * price.input + output * price.output) / PRICED_TOKENS;
}

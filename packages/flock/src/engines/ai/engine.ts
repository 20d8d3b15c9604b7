import type { Engine } from "../../agents/engine.ts";
import { askForEach } from "./ask.ts";

export { modelOf } from "./resolve-model.ts";

/** Has a language model compute what an agent publishes: one artifact of each type, from one answer. */
export const aiEngine: Engine = ({ description, instructions, model, publishes, tools: sources }) => {
  const types = [...publishes.values()];
  return (_inputs, context) => askForEach(context, types, { description, instructions, model, sources });
};

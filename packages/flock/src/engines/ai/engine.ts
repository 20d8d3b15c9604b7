import type { Engine } from "../../agents/definition.ts";
import { askForEach } from "./ask.ts";

export { resolveModels } from "./resolve-model.ts";

/**
 * Has a model compute an agent's output: from one answer, one artifact of each type or as many as `fanOut` requires.
 */
export const aiEngine: Engine = ({ description, instructions, model, publishes, outputs, tools }) => {
  const types = [...publishes.values()];
  return (_inputs, context) => askForEach(context, types, { description, instructions, model, tools, outputs });
};

import type { Model, ModelObject } from "../../agents/model.ts";
import { FlockError } from "../../core/errors.ts";
import { KEYS } from "./keys.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** OpenAI's own service, to which more can be said than to those who speak like it. */
const OPENAI = "https://api.openai.com/v1";
const ANTHROPIC = "https://api.anthropic.com/v1";

/**
 * The model that a name stands for, with its key and address from the environment.
 *
 * - `openai/MODEL`: OpenAI with `OPENAI_API_KEY`; or the OpenAI-compatible server at `OPENAI_BASE_URL` (Ollama, vLLM,
 *   LM Studio), which may need no key.
 * - `anthropic/MODEL`: Anthropic with `ANTHROPIC_API_KEY`, at `ANTHROPIC_BASE_URL` if that is set.
 *
 * @throws FlockError `model_unavailable`, naming the variable that is missing, or `missing_dependency`.
 */
export async function resolveModel(name: string, environment: Environment = process.env): Promise<ModelObject> {
  const [provider, model] = split(name);
  switch (provider) {
    case "openai": {
      const baseURL = addressIn("OPENAI_BASE_URL", environment);
      if (!baseURL || isOpenAi(baseURL)) {
        const apiKey = keyOf(provider, name, environment, ", or OPENAI_BASE_URL for a server of your own");
        const { createOpenAI } = await load("@ai-sdk/openai", () => import("@ai-sdk/openai"), name);
        return createOpenAI({ apiKey, baseURL: baseURL ?? OPENAI })(model);
      }
      const apiKey = environment.OPENAI_API_KEY?.trim();
      const { createOpenAICompatible } = await load(
        "@ai-sdk/openai-compatible",
        () => import("@ai-sdk/openai-compatible"),
        name,
      );
      return createOpenAICompatible({
        name: provider,
        baseURL,
        includeUsage: true,
        supportsStructuredOutputs: true,
        ...(apiKey ? { apiKey } : {}),
      })(model);
    }
    case "anthropic": {
      const apiKey = keyOf(provider, name, environment);
      const { createAnthropic } = await load("@ai-sdk/anthropic", () => import("@ai-sdk/anthropic"), name);
      const baseURL = addressIn("ANTHROPIC_BASE_URL", environment) ?? ANTHROPIC;
      return createAnthropic({ apiKey, baseURL })(model);
    }
    default:
      throw new FlockError(
        "model_unavailable",
        `model ${JSON.stringify(name)}: there is no provider called ${JSON.stringify(provider)}; names begin with ` +
          "openai/ or anthropic/. For any other, give the model itself, made with its package for the AI SDK",
      );
  }
}

/**
 * The model of an agent, itself or by name. Throws as {@link resolveModel} does, and when there is none.
 */
export async function modelOf(model: Model | undefined, agent: string): Promise<ModelObject> {
  if (model === undefined) {
    throw new FlockError(
      "model_unavailable",
      `agent ${agent} has no model to ask: give it .model("provider/model"), or all agents one with new Flock({ model })`,
    );
  }
  return typeof model === "string" ? resolveModel(model) : model;
}

function split(name: string): [provider: string, model: string] {
  const slash = name.indexOf("/");
  if (slash > 0 && slash < name.length - 1) return [name.slice(0, slash), name.slice(slash + 1)];
  throw new FlockError(
    "model_unavailable",
    `model ${JSON.stringify(name)}: write provider/model, such as "openai/gpt-4.1" or "anthropic/claude-sonnet-4-5"`,
  );
}

/** The address that a variable holds. An empty one is refused as well: the providers' packages do not load with it. */
function addressIn(variable: string, environment: Environment): string | undefined {
  const url = environment[variable]?.trim();
  if (url === undefined || /^https?:$/.test(URL.parse(url)?.protocol ?? "")) return url;
  throw new FlockError(
    "model_unavailable",
    `${variable} is ${JSON.stringify(url)}, which is no address: unset it, or write it like http://localhost:11434/v1`,
  );
}

function isOpenAi(url: string): boolean {
  return new URL(url).hostname === new URL(OPENAI).hostname;
}

function keyOf(provider: string, name: string, environment: Environment, or = ""): string {
  const variable = KEYS[provider] as string;
  const key = environment[variable]?.trim();
  if (key) return key;
  throw new FlockError("model_unavailable", `model ${JSON.stringify(name)} needs a key: set ${variable}${or}`);
}

async function load<T>(dependency: string, importIt: () => Promise<T>, name: string): Promise<T> {
  try {
    return await importIt();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND") {
      // They look at the environment as they are loaded.
      throw new FlockError("model_unavailable", `model ${JSON.stringify(name)}: ${dependency} says: ${message}`, {
        cause,
      });
    }
    throw new FlockError(
      "missing_dependency",
      `model ${JSON.stringify(name)} needs a package that is not installed: run \`npm install ${dependency}\``,
      { cause },
    );
  }
}

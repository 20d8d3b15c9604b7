import { type ModelChoice, type ModelObject, modelsOf } from "../../agents/model.ts";
import { FlockError } from "../../core/errors.ts";
import { KEYS } from "./keys.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** OpenAI's own service, which supports more options than compatible servers. */
const OPENAI = "https://api.openai.com/v1";
const ANTHROPIC = "https://api.anthropic.com/v1";

/**
 * Resolves a model name, with the API key and URL from the environment.
 *
 * - `openai/MODEL`: OpenAI with `OPENAI_API_KEY`, or an OpenAI-compatible server (Ollama, vLLM, LM Studio) at
 * `OPENAI_BASE_URL`, which may need no key.
 * - `anthropic/MODEL`: Anthropic with `ANTHROPIC_API_KEY`, at `ANTHROPIC_BASE_URL` if that is set.
 *
 * @example
 * const model = await resolveModel("openai/gpt-4.1");
 *
 * @throws FlockError `model_unavailable`, naming the missing variable, or `missing_dependency`.
 */
export async function resolveModel(name: string, environment: Environment = process.env): Promise<ModelObject> {
  const [provider, model] = split(name);
  switch (provider) {
    case "openai": {
      const baseURL = addressIn("OPENAI_BASE_URL", environment);
      if (!baseURL || isOpenAi(baseURL)) {
        const apiKey = keyOf(provider, name, environment, ", or `OPENAI_BASE_URL` for your own server");
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
        `Model \`${name}\` is unavailable: unknown provider \`${provider}\`. Use a name that starts with ` +
          "`openai/` or `anthropic/`, or pass a model that you created with another AI SDK package.",
      );
  }
}

/**
 * Returns an agent's models, resolved by name if necessary, the preferred one first. Throws like {@link resolveModel},
 * and when there is no model.
 */
export async function resolveModels(choice: ModelChoice | undefined, agent: string): Promise<readonly ModelObject[]> {
  if (choice === undefined) {
    throw new FlockError(
      "model_unavailable",
      `Agent \`${agent}\` has no model. Call \`.model("provider/model")\`, or set a model for all agents with \`new Flock({ model })\`.`,
    );
  }
  return Promise.all(modelsOf(choice).map((model) => (typeof model === "string" ? resolveModel(model) : model)));
}

function split(name: string): [provider: string, model: string] {
  const slash = name.indexOf("/");
  if (slash > 0 && slash < name.length - 1) return [name.slice(0, slash), name.slice(slash + 1)];
  throw new FlockError(
    "model_unavailable",
    `Invalid model name \`${name}\`. Use \`provider/model\`, such as \`openai/gpt-4.1\` or \`anthropic/claude-sonnet-4-5\`.`,
  );
}

/** Returns the URL in a variable. Rejects an empty one, because the providers' packages fail to load with it. */
function addressIn(variable: string, environment: Environment): string | undefined {
  const url = environment[variable]?.trim();
  if (url === undefined || /^https?:$/.test(URL.parse(url)?.protocol ?? "")) return url;
  throw new FlockError(
    "model_unavailable",
    `Invalid \`${variable}\`: \`${url}\` is not a URL. Unset it or use a URL such as \`http://localhost:11434/v1\`.`,
  );
}

function isOpenAi(url: string): boolean {
  return new URL(url).hostname === new URL(OPENAI).hostname;
}

function keyOf(provider: string, name: string, environment: Environment, or = ""): string {
  const variable = KEYS[provider] as string;
  const key = environment[variable]?.trim();
  if (key) return key;
  throw new FlockError("model_unavailable", `Model \`${name}\` is unavailable: no API key. Set \`${variable}\`${or}.`);
}

async function load<T>(dependency: string, importIt: () => Promise<T>, name: string): Promise<T> {
  try {
    return await importIt();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND") {
      // The packages read the environment when they are loaded.
      throw new FlockError(
        "model_unavailable",
        `Model \`${name}\` is unavailable: \`${dependency}\` failed to load: ${message}`,
        {
          cause,
        },
      );
    }
    throw new FlockError(
      "missing_dependency",
      `Model \`${name}\` is unavailable: a package is not installed. Run \`npm install ${dependency}\`.`,
      { cause },
    );
  }
}

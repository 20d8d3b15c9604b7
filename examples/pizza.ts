// A model agent that invents pizzas. Run it with `npm run pizza -- [IDEA …]`.
//
// Without an API key, the offline model generates the answers. With OPENAI_API_KEY, ANTHROPIC_API_KEY, or
// OPENAI_BASE_URL of an OpenAI-compatible server (Ollama, vLLM, LM Studio), it uses that model; FLOCK_MODEL selects one.
import { connect } from "@flock-ts/client";
import { artifact, Flock, FlockError } from "flock-ts";
import { WebSocketServerComponent } from "flock-ts/components/server";
import { offlineModel } from "flock-ts/engines/ai";
import { z } from "zod";

const Idea = artifact("PizzaIdea", z.object({ description: z.string() }));
const Pizza = artifact(
  "Pizza",
  z.object({
    name: z.string().describe("Two or three words, in Italian."),
    toppings: z.array(z.string()).min(2).max(6).describe("Toppings, from the base up."),
    minutes: z.int().min(1).max(30).describe("Baking time in minutes."),
  }),
);

const model = await chooseModel();
console.log(
  `The pizza master uses ${typeof model === "string" ? model : "the offline model, which generates meaningless answers"}.`,
);

const flock = new Flock({ model });
flock
  .agent("pizza_master")
  .description("Turns an idea into a pizza that a kitchen can bake")
  .instructions("Stay close to the idea. No pineapple.")
  .consumes(Idea)
  .publishes(Pizza)
  .concurrency(1); // one after the other, so that their streams can be read here

const ideas = process.argv.length > 2 ? process.argv.slice(2) : ["truffle and a little lemon"];
try {
  const server = await flock.serve({ components: [new WebSocketServerComponent()], port: 0 });
  const client = connect(`${server.url}/plugin/ws`, { since: 0 });
  client.on("streaming_output", ({ content }) => process.stdout.write(content)); // as the model writes
  client.on("agent_execution_completed", ({ status, error, usage }) => {
    console.log(error ? `\n${status}: ${error.message}` : `\n(${usage?.total_tokens} tokens)`);
    if (error) process.exitCode = 1;
  });

  await flock.publish(ideas.map((description) => Idea({ description })));
  await flock.runUntilIdle();
  const pizzas = await flock.store.getByType(Pizza);
  await flock.shutdown(); // the client receives everything first
  client.close();

  for (const { name, toppings, minutes } of pizzas) console.log(`${name}: ${toppings.join(", ")}; ${minutes} minutes`);
} catch (error) {
  if (!(error instanceof FlockError)) throw error;
  console.error(`pizza: ${error.message}`);
  process.exitCode = 1;
  await flock.shutdown();
}

async function chooseModel() {
  const { FLOCK_MODEL, OPENAI_BASE_URL, OPENAI_API_KEY, ANTHROPIC_API_KEY } = process.env;
  if (FLOCK_MODEL) return FLOCK_MODEL;
  if (OPENAI_BASE_URL) return firstModelOf(OPENAI_BASE_URL);
  if (OPENAI_API_KEY) return "openai/gpt-4.1-mini";
  if (ANTHROPIC_API_KEY) return "anthropic/claude-haiku-4-5";
  return offlineModel({ delayMs: 15 });
}

/** Lists the models of your server. */
async function firstModelOf(baseUrl: string): Promise<string> {
  try {
    const response = await fetch(`${baseUrl.replace(/\/$/, "")}/models`);
    const { data } = (await response.json()) as { data: { id: string }[] };
    return `openai/${data[0]?.id}`;
  } catch {
    console.error(`pizza: failed to list the models of ${baseUrl}. Set FLOCK_MODEL=openai/NAME.`);
    process.exit(1);
  }
}

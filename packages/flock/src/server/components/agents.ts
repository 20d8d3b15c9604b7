import { agentsSchema, correlationStatusSchema, historySummarySchema } from "@flock-ts/protocol";
import { z } from "zod";
import { checkOptions, FlockError } from "../../core/errors.ts";
import { ERROR_RESPONSES } from "../http/errors.ts";
import { joinPath, prefixSchema } from "../http/path.ts";
import { ServerComponent, type ServerContext } from "../server-component.ts";

/** The options of {@link AgentsServerComponent}. */
export interface AgentsServerConfig {
  /** The path prefix of its routes. Default `/api/v1/plugin/`. */
  readonly prefix?: string;
  /** Groups its routes in the API documents. Default `["Agents"]`. */
  readonly tags?: readonly string[];
  /** Lower registers first. Default 20. */
  readonly priority?: number;
}

const configSchema = z.strictObject({
  prefix: prefixSchema.default("/api/v1/plugin/"),
  tags: z.array(z.string()).default(["Agents"]),
  priority: z.number().default(20),
});

/** Serves the agents, their history, and the status of workflows over HTTP. */
export class AgentsServerComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string = "agents";

  /** @throws FlockError `invalid_options`, which names each invalid option. */
  constructor(config: AgentsServerConfig = {}) {
    super(checkOptions("new AgentsServerComponent", configSchema, config));
  }

  override registerRoutes({ app, host, principalOf }: ServerContext): void {
    const { tags } = this.config;
    const at = (path: string) => joinPath(this.config.prefix, path);

    app.get(
      at("agents"),
      {
        schema: {
          tags,
          summary: "List agents with their subscriptions and counters",
          response: { 200: agentsSchema, ...ERROR_RESPONSES },
        },
      },
      (request) => ({ agents: host.as(principalOf(request)).agents() }),
    );

    app.get(
      at("agents/:id/history-summary"),
      {
        schema: {
          tags,
          summary: "Get the history summary of an agent",
          params: z.object({ id: z.string() }),
          response: { 200: historySummarySchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const { id } = request.params;
        const summary = await host.as(principalOf(request)).historyOf(id);
        if (!summary) throw new FlockError("unknown_agent", `Unknown agent: ${JSON.stringify(id)}.`);
        return summary;
      },
    );

    app.get(
      at("correlations/:id/status"),
      {
        schema: {
          tags,
          summary: "Get the status of a workflow",
          params: z.object({ id: z.string() }),
          response: { 200: correlationStatusSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const { id } = request.params;
        const status = await host.as(principalOf(request)).correlation(id);
        if (!status)
          throw new FlockError(
            "not_found",
            `Unknown workflow: no artifact has the correlation id ${JSON.stringify(id)}.`,
          );
        return status;
      },
    );
  }
}

import {
  artifactPageSchema,
  artifactSchema,
  limitedArray,
  publishRequestSchema,
  publishResultSchema,
  queryInteger,
} from "@flock-ts/protocol";
import { z } from "zod";
import type { StoredArtifact } from "../../blackboard/artifact.ts";
import { checkOptions, FlockError } from "../../core/errors.ts";
import type { ArtifactQuery, ReadableStore } from "../../store/store.ts";
import { recordOf } from "../http/artifact-record.ts";
import { ERROR_RESPONSES } from "../http/errors.ts";
import { joinPath, prefixSchema } from "../http/path.ts";
import { ServerComponent, type ServerContext } from "../server-component.ts";

/** The options of {@link ArtifactsComponent}. */
export interface ArtifactsConfig {
  /** The path prefix of its routes. Default `/api/v1/plugin/`. */
  readonly prefix?: string;
  /** Groups its routes in the API documents. Default `["Artifacts"]`. */
  readonly tags?: readonly string[];
  /** Lower registers first. Default 20. */
  readonly priority?: number;
}

const configSchema = z.strictObject({
  prefix: prefixSchema.default("/api/v1/plugin/"),
  tags: z.array(z.string()).default(["Artifacts"]),
  priority: z.number().default(20),
});

/** The most artifacts on one page. */
const MAX_PAGE = 1_000;

/** The most values of one parameter. */
const MAX_NAMES = 1_000;

/** Several values, repeated (`tags=a&tags=b`) or separated by commas (`tags=a,b`). */
const list = z.union([z.string(), limitedArray(z.string(), MAX_NAMES)]).transform((value) =>
  [value]
    .flat()
    .flatMap((part) => part.split(","))
    .map((part) => part.trim())
    .filter((part) => part !== ""),
);
const flag = z.enum(["true", "false", "1", "0"]).transform((value) => value === "true" || value === "1");
const time = z.iso.datetime({ offset: true }).transform((value) => new Date(value));

const querySchema = z.strictObject({
  type_names: list.optional().describe("Artifacts of any of these types."),
  produced_by: list
    .optional()
    .describe("Artifacts of any of these agents; `external` for artifacts published from outside."),
  correlation_id: z.string().min(1).optional(),
  tags: list.optional().describe("Artifacts with all of these tags."),
  visibility: list
    .pipe(z.array(z.enum(["public", "private", "labelled", "tenant", "after"])))
    .optional()
    .describe("Artifacts with any of these kinds of visibility."),
  start: time.optional().describe("Created at this time or later."),
  end: time.optional().describe("Created before this time."),
  limit: queryInteger({ min: 1, max: MAX_PAGE }).default(50),
  offset: queryInteger({ min: 0 }).default(0),
  cursor: z.string().min(1).optional().describe("`next_cursor` of the previous page, instead of `offset`."),
  embed_consumptions: flag.default(false).describe("Whether to include the consumptions of each artifact."),
});

/** Serves the artifacts over HTTP: query, get by id, publish. */
export class ArtifactsComponent extends ServerComponent<z.output<typeof configSchema>> {
  override readonly name: string = "artifacts";

  /** @throws FlockError `invalid_options`, which names each invalid option. */
  constructor(config: ArtifactsConfig = {}) {
    super(checkOptions("new ArtifactsComponent", configSchema, config));
  }

  override registerRoutes({ app, host, principalOf }: ServerContext): void {
    const { tags } = this.config;
    const path = joinPath(this.config.prefix, "artifacts");
    const consumptionsOf = async (artifacts: readonly StoredArtifact[], isWanted: boolean, store: ReadableStore) =>
      isWanted ? store.consumptionsOf(artifacts.map(({ id }) => id)) : undefined;

    app.get(
      path,
      {
        schema: {
          tags,
          summary: "Query artifacts by type, producer, workflow, tags and time, newest first",
          querystring: querySchema,
          response: { 200: artifactPageSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const { type_names, produced_by, correlation_id, embed_consumptions, ...rest } = request.query;
        const { store } = host.as(principalOf(request));
        const query: ArtifactQuery = {
          ...rest,
          types: type_names,
          producedBy: produced_by,
          correlationId: correlation_id,
        };
        const { artifacts, total, nextCursor } = await store.query(query);
        const consumptions = await consumptionsOf(artifacts, embed_consumptions, store);
        return {
          artifacts: artifacts.map((artifact) => recordOf(artifact, consumptions)),
          total,
          limit: rest.limit,
          offset: rest.offset,
          next_cursor: nextCursor,
        };
      },
    );

    app.get(
      `${path}/:id`,
      {
        schema: {
          tags,
          summary: "Get an artifact",
          params: z.object({ id: z.string() }),
          querystring: querySchema.pick({ embed_consumptions: true }),
          response: { 200: artifactSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const { id } = request.params;
        const { embed_consumptions } = request.query;
        const { store } = host.as(principalOf(request));
        const artifact = await store.get(id);
        if (!artifact) throw new FlockError("not_found", `Unknown artifact: ${JSON.stringify(id)}.`);
        return recordOf(artifact, await consumptionsOf([artifact], embed_consumptions, store));
      },
    );

    app.post(
      path,
      {
        schema: {
          tags,
          summary: "Publish an artifact",
          body: publishRequestSchema,
          response: { 201: publishResultSchema, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const { result } = await host.as(principalOf(request)).commands.publish(request.body);
        return reply.status(201).header("location", `${path}/${result.artifact_id}`).send(result);
      },
    );
  }
}

import { describeIssues, validate } from "@flock-ts/protocol";
import { z } from "zod";
import { checkName, FlockError } from "../core/errors.ts";

/** A validated payload with its type, ready to publish. Call an {@link ArtifactType} to create one. */
export class Draft<Name extends string = string, Payload = unknown> {
  readonly type: Name;
  readonly payload: Payload;
  /** The artifact type that created the draft. */
  readonly artifactType: ArtifactType;

  /** Used only by the artifact type, which has validated the payload. */
  constructor(artifactType: ArtifactType, type: Name, payload: Payload) {
    this.artifactType = artifactType;
    this.type = type;
    this.payload = payload;
  }
}

/** A named kind of artifact with the schema of its payload. Call it with a payload to create a {@link Draft}. */
export interface ArtifactType<Name extends string = string, Schema extends z.ZodType = z.ZodType> {
  /**
   * Validates a payload and wraps it for publishing.
   * @throws FlockError `invalid_payload` with the path of each invalid field.
   */
  (payload: z.input<Schema>): Draft<Name, z.output<Schema>>;
  /** The type name on the wire. */
  readonly typeName: Name;
  readonly schema: Schema;
  /** JSON Schema (2020-12) of the payload before parsing, as publishers send it. */
  readonly jsonSchema: Record<string, unknown>;
  /** Validates an untyped payload and wraps it for publishing. Throws like the call. */
  parse(payload: unknown): Draft<Name, z.output<Schema>>;
}

/** An artifact type with any payload. */
// biome-ignore lint/suspicious/noExplicitAny: a payload's input type is in a contravariant position
export type AnyArtifactType = ArtifactType<string, any>;

/** The payload of an artifact type. */
export type PayloadOf<T extends AnyArtifactType> = T extends ArtifactType<string, infer S> ? z.output<S> : never;

/** The draft that an artifact type creates. */
export type DraftOf<T extends AnyArtifactType> =
  T extends ArtifactType<infer N, infer S> ? Draft<N, z.output<S>> : never;

/**
 * Declares an artifact type.
 *
 * @example
 * const Pizza = artifact("Pizza", z.object({ name: z.string(), toppings: z.array(z.string()) }));
 * await flock.publish(Pizza({ name: "Margherita", toppings: ["basil"] }));
 *
 * @throws FlockError `invalid_name` when the name cannot be used in a URL filter.
 */
export function artifact<const Name extends string, Schema extends z.ZodType>(
  name: Name,
  schema: Schema,
): ArtifactType<Name, Schema> {
  checkName("an artifact type", name);
  const parse = (payload: unknown): Draft<Name, z.output<Schema>> => {
    const { data, issues } = validate(schema, payload);
    if (!issues) return new Draft(type as ArtifactType, name, data);
    throw new FlockError("invalid_payload", `Invalid payload of \`${name}\`: ${describeIssues(issues)}`, { issues });
  };
  let jsonSchema: Record<string, unknown> | undefined;
  const type = Object.defineProperties((payload: z.input<Schema>) => parse(payload), {
    name: { value: name },
    typeName: { value: name, enumerable: true },
    schema: { value: schema, enumerable: true },
    parse: { value: parse },
    jsonSchema: {
      get: () =>
        (jsonSchema ??= z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Record<string, unknown>),
    },
  }) as ArtifactType<Name, Schema>;
  return type;
}

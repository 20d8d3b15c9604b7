import { describeIssues, type Issue, validate } from "@flock-ts/protocol";
import { z } from "zod";
import { checkName, checkOptions, FlockError } from "../core/errors.ts";
import { areEqualAsGiven, freezeDecoded, frozenJson, NotJson } from "./json.ts";
import { areEqualPayloads, type PayloadForm, payloadFormOf, withDefaults } from "./payload-schema.ts";

/**
 * A validated payload with its type, ready to publish. Call an {@link ArtifactType} to create one. Drafts and their
 * payloads are frozen, so that what is published is what was validated.
 */
export class Draft<Name extends string = string, Payload = unknown> {
  readonly type: Name;
  /** The payload as the schema returns it, decoded by its codecs. */
  readonly payload: Payload;
  /** The payload as JSON represents it: what is stored and sent. The same as `payload` for a schema without codecs. */
  readonly stored: unknown;
  /** The artifact type that created the draft. */
  readonly artifactType: ArtifactType;
  /** The payload before the schema filled in what was missing. */
  readonly #given: unknown;

  /** Used only by the artifact type, which has validated and frozen the payload. */
  constructor(artifactType: ArtifactType, type: Name, payload: Payload, stored: unknown, given: unknown) {
    this.artifactType = artifactType;
    this.type = type;
    this.payload = payload;
    this.stored = stored;
    this.#given = given;
    Object.freeze(this);
  }

  /** Whether the same payload was given for a stored one. Values that the schema generated may differ. */
  repeats(stored: unknown): boolean {
    return areEqualAsGiven(this.#given, this.stored, stored);
  }
}

/**
 * Checks that a value is a draft.
 * @param action what was to be done with it, as a verb.
 * @throws FlockError `not_a_draft`, with what the value is instead.
 */
export function assertDraft(value: unknown, action: string): asserts value is Draft {
  if (value instanceof Draft) return;
  throw new FlockError("not_a_draft", `Failed to ${action}: expected a draft, got ${insteadOf(value)}`);
}

function insteadOf(value: unknown): string {
  const call = "Call an artifact type with the payload: `Pizza({ … })`.";
  if (value === undefined || value === null) return `\`${value}\`. ${call}`;
  if (Array.isArray(value)) return `an array. ${call}`;
  if (typeof (value as { then?: unknown }).then === "function") return "a promise. Await it first.";
  const { typeName } = value as { typeName?: unknown };
  if (typeof value === "function" && typeof typeName === "string")
    return `the artifact type \`${typeName}\` itself. Call it with the payload: \`${typeName}({ … })\`.`;
  return `${typeof value === "object" ? "an object" : `a ${typeof value}`}. ${call}`;
}

function isArtifactType(value: unknown): value is AnyArtifactType {
  return typeof value === "function" && typeof (value as Partial<AnyArtifactType>).typeName === "string";
}

/**
 * Checks that a list contains at least one artifact type and nothing else.
 * @param what the option that received the list.
 * @throws FlockError `invalid_options`.
 */
export function assertArtifactTypes(
  what: string,
  values: readonly unknown[],
): asserts values is readonly AnyArtifactType[] {
  if (values.length > 0 && values.every(isArtifactType)) return;
  throw new FlockError(
    "invalid_options",
    `Invalid types for ${what}: not artifact types. Create them with \`artifact(name, schema)\`.`,
  );
}

/** Options of an artifact type. */
export interface ArtifactTypeOptions<Schema extends z.ZodType = z.ZodType> {
  /**
   * Converts a payload that was stored under an earlier version of the schema. Called with the stored payload when it
   * does not fit the schema. The result is validated. Default: such a payload is refused.
   */
  readonly upgrade?: (stored: never) => z.input<Schema>;
}

const optionsSchema = z.strictObject({
  upgrade: z
    .custom<(stored: unknown) => unknown>((value) => typeof value === "function", "must be a function")
    .optional(),
});

/** A named kind of artifact with the schema of its payload. Call it with a payload to create a {@link Draft}. */
export interface ArtifactType<Name extends string = string, Schema extends z.ZodType = z.ZodType> {
  /**
   * Validates a payload and wraps a frozen copy of it for publishing.
   * @throws FlockError `invalid_payload` with the path of each field that is invalid or does not survive JSON;
   * `invalid_options` when the schema is asynchronous.
   */
  (payload: z.input<Schema>): Draft<Name, z.output<Schema>>;
  /** The type name on the wire. */
  readonly typeName: Name;
  readonly schema: Schema;
  /** JSON Schema (2020-12) of the payload before parsing, as publishers send it. */
  readonly jsonSchema: Record<string, unknown>;
  /** Validates an untyped payload and wraps it for publishing. Throws like the call. */
  parse(payload: unknown): Draft<Name, z.output<Schema>>;
  /**
   * Returns the payload of a stored artifact, such as one of `store.query`: decoded, and upgraded if it was stored under
   * an earlier version of the schema. Throws like the call.
   *
   * @example
   * const { artifacts } = await flock.store.query({ types: ["Pizza"], limit: 10 });
   * const pizzas = artifacts.map(({ payload }) => Pizza.decode(payload));
   */
  decode(stored: unknown): z.output<Schema>;
  /** Validates a stored payload, upgrades it if necessary, and returns it as a draft. Throws like the call. */
  takeUp(stored: unknown): Draft<Name, z.output<Schema>>;
  /** Whether the payload differs from the JSON that is stored of it. */
  readonly isEncoded: boolean;
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
 * @throws FlockError `invalid_name` when the name cannot be used in a URL filter; `invalid_options` when the schema is
 * no Zod 4 schema or takes values that JSON cannot represent, such as `z.date()`. Use `z.codec` for those.
 */
export function artifact<const Name extends string, Schema extends z.ZodType>(
  name: Name,
  schema: Schema,
  options: ArtifactTypeOptions<Schema> = {},
): ArtifactType<Name, Schema> {
  checkName("an artifact type", name);
  const { upgrade } = checkOptions(`artifact type \`${name}\``, optionsSchema, options);
  let form = formNow(name, schema);

  const validated = (payload: unknown): z.output<Schema> => {
    const { data, issues } = parsed(name, schema, payload);
    if (issues) throw invalid(name, issues);
    return data;
  };
  /** Everything that becomes an artifact passes here, once: from then on, all readers share one frozen payload. */
  const parse = (payload: unknown): Draft<Name, z.output<Schema>> =>
    refusingNonJson(name, () => {
      form ??= payloadFormOf(name, schema);
      if (form === "same") return read(payload, payload);
      const json = form === "rewritten" ? validated(payload) : form === "codec" ? encoded(payload) : filled(payload);
      // Decoded from what is stored, as every later reader does it.
      const draft = read(json, payload);
      // Reading an encoded value again is left out: what it decodes to need not be comparable.
      if (form === "codec" || areEqualPayloads(draft.payload, validated(draft.stored))) return draft;
      throw unstable(name);
    });
  const encoded = (payload: unknown): unknown => z.encode(schema, validated(payload));
  const filled = (payload: unknown): unknown => withDefaults(schema, frozenJson(payload));
  /** Wraps JSON as it is stored: what was encoded or transformed once is not encoded again. */
  const read = (json: unknown, given = json): Draft<Name, z.output<Schema>> => {
    form ??= payloadFormOf(name, schema);
    if (form === "same" || form === "rewritten") {
      const stored = frozenJson(validated(json));
      return new Draft(type as ArtifactType, name, stored as z.output<Schema>, stored, given);
    }
    const stored = frozenJson(json);
    return new Draft(type as ArtifactType, name, freezeDecoded(validated(stored)) as z.output<Schema>, stored, given);
  };
  const takeUp = (stored: unknown): Draft<Name, z.output<Schema>> => {
    const taken = () => refusingNonJson(name, () => read(stored));
    if (!upgrade) return taken();
    try {
      return taken();
    } catch (error) {
      if (!(error instanceof FlockError && error.code === "invalid_payload")) throw error;
    }
    return parse(upgraded(name, upgrade, stored));
  };
  let jsonSchema: Record<string, unknown> | undefined;
  const type = Object.defineProperties((payload: z.input<Schema>) => parse(payload), {
    name: { value: name },
    typeName: { value: name, enumerable: true },
    schema: { value: schema, enumerable: true },
    parse: { value: parse },
    takeUp: { value: takeUp },
    decode: { value: (stored: unknown) => takeUp(stored).payload },
    isEncoded: {
      get: () => ["codec", "transform"].includes((form ??= payloadFormOf(name, schema))),
    },
    jsonSchema: {
      get: () =>
        (jsonSchema ??= z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as Record<string, unknown>),
    },
  }) as ArtifactType<Name, Schema>;
  return type;
}

/** Returns the form of the payload; undefined when the schema refers to a variable that is not initialized yet. */
function formNow(name: string, schema: z.ZodType): PayloadForm | undefined {
  try {
    return payloadFormOf(name, schema);
  } catch (error) {
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}

function parsed<Schema extends z.ZodType>(name: string, schema: Schema, payload: unknown) {
  try {
    return validate(schema, payload);
  } catch (error) {
    // By name: the schema may come from another copy of Zod.
    if ((error as Error | undefined)?.constructor.name !== "$ZodAsyncError") throw error;
    throw new FlockError(
      "invalid_options",
      `Invalid schema of artifact type \`${name}\`: it has an asynchronous refinement or transformation, and payloads are validated synchronously. Check it in the agent instead.`,
    );
  }
}

function refusingNonJson<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    throw invalid(name, [error.issue]);
  }
}

function unstable(name: string): FlockError {
  return new FlockError(
    "invalid_options",
    `Invalid schema of artifact type \`${name}\`: it returns another payload each time it reads the same one. Make its transformations pure, and compute ids and times before you create the draft.`,
  );
}

function upgraded(name: string, upgrade: (stored: unknown) => unknown, stored: unknown): unknown {
  try {
    return upgrade(stored);
  } catch (cause) {
    const message = `Invalid payload of \`${name}\`: its \`upgrade\` failed: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new FlockError("invalid_payload", message, { cause });
  }
}

function invalid(name: string, issues: readonly Issue[]): FlockError {
  return new FlockError("invalid_payload", `Invalid payload of \`${name}\`: ${describeIssues(issues)}`, { issues });
}

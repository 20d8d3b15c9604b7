import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { AnyArtifactType, PayloadOf } from "../blackboard/artifact-type.ts";

/** The payloads of one type in a list of types, in order. */
type PayloadsOf<T, Name> = T extends readonly [infer First extends AnyArtifactType, ...infer Rest]
  ? First["typeName"] extends Name
    ? [PayloadOf<First>, ...PayloadsOf<Rest, Name>]
    : PayloadsOf<Rest, Name>
  : [];

/**
 * The inputs of a run for one `consumes`: a payload by type name, or a tuple of payloads for a type that is named
 * repeatedly.
 */
export type InputsOf<T extends readonly AnyArtifactType[]> = {
  readonly [Name in T[number]["typeName"]]: PayloadsOf<T, Name> extends [infer One] ? One : PayloadsOf<T, Name>;
};

/**
 * The inputs of a run for one `consumes` with a `batch`: an array of payloads under the name of a single type, or an
 * array of groups for several types.
 */
export type BatchOf<T extends readonly AnyArtifactType[]> = T extends readonly [infer One extends AnyArtifactType]
  ? { readonly [Name in One["typeName"]]: readonly PayloadOf<One>[] }
  : readonly InputsOf<T>[];

type Group = Readonly<Record<string, unknown>>;

/** Inputs of a run, untyped. */
export type Inputs = Group | readonly Group[];

/**
 * Returns the payloads of a group by type name: an array for each type with several artifacts. Frozen, because the
 * candidates of a `bestOf` share it.
 */
export function inputsOf(artifacts: readonly StoredArtifact[]): Group {
  const [first] = artifacts;
  if (artifacts.length === 1 && first) return Object.freeze({ [first.type]: first.payload });
  const inputs: Record<string, unknown> = {};
  const several = new Set<string>();
  for (const { type, payload } of artifacts) {
    if (!Object.hasOwn(inputs, type)) inputs[type] = payload;
    else if (several.has(type)) (inputs[type] as unknown[]).push(payload);
    else {
      inputs[type] = [inputs[type], payload];
      several.add(type);
    }
  }
  for (const type of several) Object.freeze(inputs[type]);
  return Object.freeze(inputs);
}

/** Returns the inputs of a batch whose groups contain the required number of artifacts of each type. */
export function batchOf(artifacts: readonly StoredArtifact[], requires: ReadonlyMap<string, number>): Inputs {
  const [single] = requires;
  if (requires.size === 1 && single?.[1] === 1) return frozenBatch(single[0], artifacts);
  // Assign each type independently, as gates do, so that the groups don't depend on how types alternate.
  const groups: StoredArtifact[][] = [];
  const assigned = new Map<string, number>();
  for (const artifact of artifacts) {
    const before = assigned.get(artifact.type) ?? 0;
    assigned.set(artifact.type, before + 1);
    const index = Math.floor(before / (requires.get(artifact.type) ?? 1));
    (groups[index] ??= []).push(artifact);
  }
  return Object.freeze(groups.map(inputsOf));
}

function frozenBatch(type: string, artifacts: readonly StoredArtifact[]): Group {
  return Object.freeze({ [type]: Object.freeze(artifacts.map(({ payload }) => payload)) });
}

import type { StoredArtifact } from "../blackboard/artifact.ts";
import type { AnyArtifactType, PayloadOf } from "../blackboard/artifact-type.ts";

/** The payloads of one type name in a list of types, in order. */
type PayloadsOf<T, Name> = T extends readonly [infer First extends AnyArtifactType, ...infer Rest]
  ? First["typeName"] extends Name
    ? [PayloadOf<First>, ...PayloadsOf<Rest, Name>]
    : PayloadsOf<Rest, Name>
  : [];

/** What a run receives for one `consumes`: a payload by type name, or a tuple of them where the type is named several times. */
export type InputsOf<T extends readonly AnyArtifactType[]> = {
  readonly [Name in T[number]["typeName"]]: PayloadsOf<T, Name> extends [infer One] ? One : PayloadsOf<T, Name>;
};

/**
 * What a run receives for one `consumes` with a `batch`: for a single type an array of payloads by its name; for several,
 * an array of groups, each of them as it would be without the batch.
 */
export type BatchOf<T extends readonly AnyArtifactType[]> = T extends readonly [infer One extends AnyArtifactType]
  ? { readonly [Name in One["typeName"]]: readonly PayloadOf<One>[] }
  : readonly InputsOf<T>[];

type Group = Readonly<Record<string, unknown>>;

/** The same at run time. */
export type Inputs = Group | readonly Group[];

/** The payloads of a group by type name: an array where there are several of a type. */
export function inputsOf(artifacts: readonly StoredArtifact[]): Group {
  const [first] = artifacts;
  if (artifacts.length === 1 && first) return { [first.type]: first.payload };
  const inputs: Record<string, unknown> = {};
  const several = new Set<string>();
  for (const { type, payload } of artifacts) {
    if (!(type in inputs)) inputs[type] = payload;
    else if (several.has(type)) (inputs[type] as unknown[]).push(payload);
    else {
      inputs[type] = [inputs[type], payload];
      several.add(type);
    }
  }
  return inputs;
}

/** The payloads of a batch whose groups have so many artifacts of each type. */
export function batchOf(artifacts: readonly StoredArtifact[], requires: ReadonlyMap<string, number>): Inputs {
  const [single] = requires;
  if (requires.size === 1 && single?.[1] === 1) return { [single[0]]: artifacts.map(({ payload }) => payload) };
  // Each type is dealt out by itself, as gates use them: that does not depend on how types alternate.
  const groups: StoredArtifact[][] = [];
  const dealt = new Map<string, number>();
  for (const artifact of artifacts) {
    const before = dealt.get(artifact.type) ?? 0;
    dealt.set(artifact.type, before + 1);
    const place = Math.floor(before / (requires.get(artifact.type) ?? 1));
    (groups[place] ??= []).push(artifact);
  }
  return groups.map(inputsOf);
}

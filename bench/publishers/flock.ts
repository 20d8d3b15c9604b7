// Artifacts through Flock, without a server.
import { artifact, Flock } from "flock";
import { sqliteStore } from "flock/stores/sqlite";
import { z } from "zod";
import { answer } from "../child.ts";
import { GROUP, type Measured, type PublisherCalls, ROWS_PER_ARTIFACT, TEXT, timed, withFile } from "./publisher.ts";

answer<PublisherCalls>({
  measure: (what, artifacts, others = 1) => {
    switch (what) {
      case "memory":
        return throughAgent(new Flock(), artifacts);
      case "sqlite normal":
        return withFile((file) => throughAgent(new Flock({ store: sqliteStore(file) }), artifacts));
      case "sqlite full":
        return withFile((file) =>
          throughAgent(new Flock({ store: sqliteStore(file, { durability: "full" }) }), artifacts),
        );
      case "matching":
        return matching(artifacts, others);
      case "joining":
        return joining(artifacts, others);
      default:
        throw new Error(`there is nothing called ${what}`);
    }
  },
});

async function throughAgent(flock: Flock, artifacts: number): Promise<Measured> {
  const In = artifact("In", z.object({ text: z.string() }));
  const Out = artifact("Out", z.object({ text: z.string() }));
  flock
    .agent("echo")
    .consumes(In)
    .publishes(Out)
    .concurrency(GROUP)
    .run(({ In: { text } }) => Out({ text }));
  const publish = async (count: number) => {
    for (let i = 0; i < count; i += GROUP) {
      await Promise.all(Array.from({ length: GROUP }, () => flock.publish(In({ text: TEXT }))));
      await flock.runUntilIdle();
    }
  };
  return timed(publish, artifacts, artifacts * ROWS_PER_ARTIFACT);
}

/** Artifacts that wake one of many agents each. */
async function matching(artifacts: number, agents: number): Promise<Measured> {
  const flock = new Flock({ maxRunsPerCorrelation: Number.MAX_SAFE_INTEGER });
  const types = Array.from({ length: agents }, (_, i) => artifact(`T${i}`, z.object({ text: z.string() })));
  for (const [i, type] of types.entries()) {
    flock
      .agent(`a${i}`)
      .consumes(type)
      .run(() => {});
  }
  const publish = async (count: number) => {
    for (let i = 0; i < count; i += GROUP) {
      const drafts = Array.from({ length: GROUP }, (_, j) => types[(i + j) % 10]?.({ text: TEXT }) as never);
      await Promise.all(drafts.map((draft) => flock.publish(draft)));
      await flock.runUntilIdle();
    }
  };
  return timed(publish, artifacts, artifacts);
}

/** Artifacts that find their partners in one gate, beside so many others that wait there for theirs. */
async function joining(artifacts: number, open: number): Promise<Measured> {
  const flock = new Flock();
  const schema = z.object({ key: z.string(), text: z.string() });
  const Left = artifact("Left", schema);
  const Right = artifact("Right", schema);
  flock
    .agent("matcher")
    .consumes(Left, Right, { join: { by: ({ payload }) => payload.key, within: 3_600_000 }, maxWaiting: open + GROUP })
    .run(() => {});
  let keys = 0;
  const publish = async (types: readonly (typeof Left | typeof Right)[], count: number) => {
    for (let i = 0; i < count; i += GROUP) {
      const drafts = Array.from({ length: GROUP / types.length }, () => {
        const payload = { key: `key ${++keys}`, text: TEXT };
        return types.map((type) => type(payload));
      });
      await Promise.all(drafts.flat().map((draft) => flock.publish(draft)));
      await flock.runUntilIdle();
    }
  };
  await publish([Left], open);
  return timed((count) => publish([Left, Right], count), artifacts, artifacts);
}

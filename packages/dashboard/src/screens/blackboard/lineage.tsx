import type { ArtifactState, RunState } from "@flock/protocol";
import type { ReactNode } from "react";
import { useLive } from "../../live/store.ts";
import { short } from "../../parts/format.ts";
import { Chip } from "../../parts/parts.tsx";
import { pathOf } from "../../place/place.ts";

/** Where an artifact comes from, and what became of it: each step a run, with what it read and wrote. */
export function Lineage({ artifact }: { artifact: ArtifactState }) {
  const runs = useLive(({ state }) => state.runs);
  const maker = artifact.run_id === undefined ? undefined : runs.get(artifact.run_id);
  const readers = [...runs.values()].filter(({ consumed }) => consumed.includes(artifact.artifact_id));
  return (
    <section aria-label="Lineage">
      <h2 className="mb-1.5 text-sm font-medium text-soft">Lineage</h2>
      <div className="grid gap-x-4 gap-y-2 text-sm sm:grid-cols-[auto_1fr]">
        <Step name="Made by">
          {artifact.run_id === undefined ? (
            <span className="py-1">somebody outside the flock</span>
          ) : (
            <>
              <RunChip id={artifact.run_id} run={maker} agent={artifact.produced_by} />
              {maker && maker.consumed.length > 0 && <Ids word="from" ids={maker.consumed} />}
            </>
          )}
        </Step>
        <Step name="Consumed by">
          {readers.length === 0 && <span className="py-1">nobody yet</span>}
          {readers.map((run) => (
            <span key={run.run_id} className="flex flex-wrap items-center gap-2">
              <RunChip id={run.run_id} run={run} agent={run.agent_id} />
              {run.produced.length > 0 && <Ids word="made" ids={run.produced} />}
            </span>
          ))}
        </Step>
      </div>
    </section>
  );
}

function Step({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <h3 className="pt-1 text-soft">{name}</h3>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">{children}</div>
    </>
  );
}

function RunChip({ id, run, agent }: { id: string; run: RunState | undefined; agent: string }) {
  return (
    <Chip href={pathOf("runs", id)}>
      {agent}
      {run && run.status !== "success" && <span className="text-soft"> ({run.status})</span>}
    </Chip>
  );
}

function Ids({ word, ids }: { word: string; ids: readonly string[] }) {
  const artifacts = useLive(({ state }) => state.artifacts);
  return (
    <>
      <span className="text-soft">{word}</span>
      {ids.map((id) => (
        <Chip key={id} href={pathOf("blackboard", id)}>
          {artifacts.get(id)?.artifact_type ?? short(id)}
        </Chip>
      ))}
    </>
  );
}

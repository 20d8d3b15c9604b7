import { EXTERNAL, maySee, type Principal } from "@flock-ts/protocol";
import type { AgentDefinition } from "../agents/definition.ts";
import { ToolApproval } from "../agents/tool-approval.ts";
import { mayNeedApproval } from "../agents/tools.ts";
import type { AnyArtifactType } from "../blackboard/artifact-type.ts";
import { FlockError } from "../core/errors.ts";
import type { Hooks } from "../middleware/hooks.ts";

/** Error messages list this many names at most. */
const MAX_LISTED_NAMES = 10;

/** Returns the agent that has a name, or has had it before. */
export function successorOf(agents: ReadonlyMap<string, AgentDefinition>, name: string): AgentDefinition | undefined {
  return agents.get(name) ?? [...agents.values()].find(({ formerNames }) => formerNames.includes(name));
}

/** The declared agents and artifact types, by name. */
export class Registry {
  readonly agents = new Map<string, AgentDefinition>();
  readonly types = new Map<string, AnyArtifactType>();
  /** Types that are visible to all principals, whichever agents name them. */
  readonly #sharedTypes = new Set<string>();
  readonly #hooks: Hooks | undefined;

  /** @param hooks the components of the flock, which see what is published from outside. */
  constructor(hooks: Hooks | undefined) {
    this.#hooks = hooks;
  }

  /**
   * Adds an artifact type that every principal may see.
   * @throws FlockError `duplicate_artifact_type` when another type has the name.
   */
  shareType(type: AnyArtifactType): void {
    this.#addType(type);
    this.#sharedTypes.add(type.typeName);
  }

  /**
   * Adds an agent with the types that it names.
   * @throws FlockError `duplicate_agent`, `invalid_name` or `duplicate_artifact_type`.
   */
  addAgent(agent: AgentDefinition): void {
    this.assertNameIsFree(agent.name);
    for (const name of agent.formerNames) {
      const taken = successorOf(this.agents, name);
      if (!taken) continue;
      const reason = taken.name === name ? "an agent has it" : `agent \`${taken.name}\` was renamed from it, too`;
      throw new FlockError("duplicate_agent", `Agent \`${agent.name}\` cannot be renamed from \`${name}\`: ${reason}.`);
    }
    for (const type of [...agent.consumes.values(), ...agent.publishes.values()]) this.#addType(type);
    // Answers may arrive after a restart, before the run asks again.
    if (agent.tools.some(({ tools }) => mayNeedApproval(tools))) this.shareType(ToolApproval);
    this.agents.set(agent.name, agent);
  }

  /** @throws FlockError `duplicate_agent` or `invalid_name`. */
  assertNameIsFree(name: string): void {
    if (name === EXTERNAL) {
      throw new FlockError(
        "invalid_name",
        `Invalid agent name \`${EXTERNAL}\`: it is reserved for publishers outside the flock. Choose another name.`,
      );
    }
    const taken = successorOf(this.agents, name);
    if (!taken) return;
    const was = taken.name === name ? "" : `: agent \`${taken.name}\` was renamed from it`;
    throw new FlockError("duplicate_agent", `Duplicate agent name \`${name}\`${was}. Give each agent its own name.`);
  }

  /** Returns the components that see what a producer publishes. */
  hooksOf(producedBy: string): Hooks | undefined {
    return producedBy === EXTERNAL ? this.#hooks : this.agents.get(producedBy)?.hooks;
  }

  /** Returns the agents that a principal may see. */
  agentsSeenBy(as: Principal): AgentDefinition[] {
    const agents = [...this.agents.values()];
    return as.kind === "owner" ? agents : agents.filter(({ visibility }) => maySee(as, visibility));
  }

  /** Returns the types that a principal may see: shared ones, and those that its visible agents name. */
  typesSeenBy(as: Principal): AnyArtifactType[] {
    if (as.kind === "owner") return [...this.types.values()];
    const named = new Set(this.#sharedTypes);
    for (const { consumes, publishes } of this.agentsSeenBy(as)) {
      for (const type of [...consumes.keys(), ...publishes.keys()]) named.add(type);
    }
    return [...this.types.values()].filter(({ typeName }) => named.has(typeName));
  }

  /**
   * Returns an agent that a principal may see.
   * @throws FlockError `unknown_agent`, listing the agents that it may see.
   */
  agentSeenBy(name: string, as: Principal): AgentDefinition {
    const agent = this.agents.get(name);
    if (agent && maySee(as, agent.visibility)) return agent;
    const names = this.agentsSeenBy(as).map((one) => one.name);
    const listed = names.slice(0, MAX_LISTED_NAMES).join(", ") + (names.length > MAX_LISTED_NAMES ? ", …" : "");
    throw new FlockError(
      "unknown_agent",
      `Unknown agent ${JSON.stringify(name)}${names.length === 0 ? ": no agent is declared" : `. Known agents: ${listed}`}.`,
    );
  }

  #addType(type: AnyArtifactType): void {
    const known = this.types.get(type.typeName);
    if (known === type) return;
    if (known) {
      throw new FlockError(
        "duplicate_artifact_type",
        `Duplicate artifact type \`${type.typeName}\`. Declare it once, and import it where you use it.`,
      );
    }
    this.types.set(type.typeName, type);
  }
}

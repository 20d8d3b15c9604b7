/** An agent has been declared again, and may not see what it was to run on. */
export class NotClearedError extends Error {
  override readonly name = "NotClearedError";

  constructor(agent: string) {
    super(
      `Agent \`${agent}\` did not run: it may no longer see what triggered it. Give it the \`.labels(…)\` or \`.tenant(…)\` it had.`,
    );
  }
}

/** Runs cause each other without end. */
export class LoopError extends Error {
  override readonly name = "LoopError";

  constructor(agent: string, correlationId: string, reason: string) {
    super(
      `Failed to run \`${agent}\` in workflow \`${correlationId}\`: ${reason}, which looks like a loop. ` +
        "Let an agent stop publishing at some point, or raise `maxDepth`.",
    );
  }
}

/** The process has crashed during the same work as often as is allowed. */
export class CrashLimitError extends Error {
  override readonly name = "CrashLimitError";

  constructor(agent: string, crashes: number) {
    const times = crashes === 1 ? "once" : `${crashes} times`;
    super(
      `Failed to run \`${agent}\`: the process ended during this work ${times}. ` +
        "Fix what ends the process, then retry the dead letter, or discard it.",
    );
  }
}

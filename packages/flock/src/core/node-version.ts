/** The oldest major version of Node that runs Flock; `engines` of the package says the same. */
const OLDEST = 24;

/**
 * Checks the version of Node. Without this check, an older one would fail later, with an error about its own features.
 * @throws Error with the version that is required.
 */
export function assertNodeVersion(version: string): void {
  if (Number.parseInt(version, 10) >= OLDEST) return;
  throw new Error(`flock-ts requires Node ${OLDEST} or newer, and this is Node ${version}. Install a newer Node.`);
}

assertNodeVersion(process.versions.node);

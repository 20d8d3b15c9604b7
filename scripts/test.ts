// Everything that must hold: the checks, the build, then every test. Arguments go to vitest and skip the rest.
import { runLoudly } from "./run.ts";

const args = process.argv.slice(2);
if (args.length === 0) {
  for (const script of ["check", "build"]) {
    const code = await runLoudly({ name: script, command: ["node", `scripts/${script}.ts`] });
    if (code !== 0) process.exit(code);
  }
}
process.exit(await runLoudly({ name: "tests", command: ["vitest", "run", ...args] }));

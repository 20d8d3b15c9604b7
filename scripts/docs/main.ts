// Writes the API reference of the published packages into docs/api. An export without a comment, or a link that leads
// nowhere, is an error.
import { join } from "node:path";
import { Application } from "typedoc";
import { PUBLISHED, readManifest } from "../packages.ts";
import { ROOT } from "../run.ts";

const app = await Application.bootstrap({
  name: "Flock",
  entryPoints: PUBLISHED.flatMap((folder) =>
    Object.values(readManifest(folder).exports).map((source) => join(ROOT, "packages", folder, source)),
  ),
  tsconfig: join(ROOT, "tsconfig.json"),
  readme: join(ROOT, "README.md"),
  out: join(ROOT, "docs/api"),
  // `npm run check` does that, for the whole project.
  skipErrorChecking: true,
  disableSources: true,
  excludePrivate: true,
  excludeInternal: true,
  validation: { notDocumented: true, invalidLink: true, notExported: false },
  requiredToBeDocumented: ["Class", "Interface", "Function", "Variable", "TypeAlias", "Method"],
  treatValidationWarningsAsErrors: true,
});
const project = await app.convert();
if (!project) process.exit(1);
app.validate(project);
if (app.logger.hasErrors()) process.exit(1);
await app.generateOutputs(project);

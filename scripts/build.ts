// Makes the packages that can be published: packages/{protocol,client,flock}/dist, the dashboard inside flock's.
import { cpSync, existsSync } from "node:fs";
import { basename, join } from "node:path";
import { clientBytes } from "../packages/client/size.ts";
import { buildPackage, distOf, PUBLISHED } from "./package-build.ts";
import { ROOT } from "./run.ts";

/** What a web page pays for the client without the React hook, at most: bytes after minifying and gzip. */
const CLIENT_LIMIT = 6 * 1024;

for (const folder of PUBLISHED) {
  const modules = buildPackage(folder);
  console.log(`✓ packages/${folder}/dist: ${modules} modules`);
}
copyDashboard();
await checkClientSize();

/** The server finds the dashboard at ../../../dashboard/ from src/server/components/, and so from lib/server/components/. */
function copyDashboard(): void {
  const dashboard = join(ROOT, "packages/flock/dashboard");
  if (!existsSync(join(dashboard, "index.html"))) {
    fail("the dashboard is not built (packages/flock/dashboard/index.html is missing): run `npm run build`");
  }
  cpSync(dashboard, join(distOf("flock"), "dashboard"), {
    recursive: true,
    filter: (file) => basename(file) !== ".built-from",
  });
  console.log("✓ packages/flock/dist/dashboard");
}

async function checkClientSize(): Promise<void> {
  const bytes = await clientBytes();
  if (bytes >= CLIENT_LIMIT)
    fail(`@flock/client has ${bytes} bytes minified and gzipped, and may have ${CLIENT_LIMIT - 1}`);
  console.log(`✓ @flock/client: ${bytes} of ${CLIENT_LIMIT} bytes, minified and gzipped`);
}

function fail(message: string): never {
  console.error(`✗ ${message}`);
  process.exit(1);
}

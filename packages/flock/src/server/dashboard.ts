import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FlockError } from "../errors.ts";
import { AgentsServerComponent } from "./components/agents.ts";
import { ArtifactsComponent } from "./components/artifacts.ts";
import { ControlRoutesComponent } from "./components/control-routes.ts";
import { HealthAndMetricsComponent } from "./components/health.ts";
import { StaticFilesServerComponent } from "./components/static-files.ts";
import { WebSocketServerComponent } from "./components/websocket.ts";
import { basePath } from "./path.ts";
import { ServerComponent, type ServerContext } from "./server-component.ts";

/** Where the build puts it: beside `src/` here, and beside `lib/` in the published package. */
const FOLDER = fileURLToPath(new URL("../../dashboard/", import.meta.url));

/** Tells the dashboard where the other components are: their prefixes are the user's to choose. */
class DashboardConfigComponent extends ServerComponent {
  override readonly name = "dashboard-config";

  override registerRoutes({ app, components }: ServerContext): void {
    const websocket = components.get("websocket") as WebSocketServerComponent;
    const base = (name: string) => basePath(components.get(name)?.config.prefix ?? "/");
    const config = {
      websocket: websocket.path,
      control: base("control"),
      agents: base("agents"),
      artifacts: base("artifacts"),
    };
    app.get("/dashboard-config.json", { schema: { hide: true } }, () => config);
  }
}

/**
 * The components and all that the dashboard needs beside them.
 * @throws FlockError `cannot_listen` when the dashboard has not been built.
 */
export function withDashboard(components: readonly ServerComponent[]): readonly ServerComponent[] {
  if (!existsSync(`${FOLDER}index.html`)) {
    throw new FlockError(
      "cannot_listen",
      "the dashboard is not built: run `npm run build` in Flock's folder, or serve without `dashboard`",
    );
  }
  const present = new Set(components.map(({ name }) => name));
  const needed: (readonly [string, () => ServerComponent])[] = [
    ["websocket", () => new WebSocketServerComponent()],
    ["control", () => new ControlRoutesComponent()],
    ["agents", () => new AgentsServerComponent()],
    ["artifacts", () => new ArtifactsComponent()],
    ["health", () => new HealthAndMetricsComponent()],
    ["static-files", () => new StaticFilesServerComponent({ folder: FOLDER })],
  ];
  return [
    ...components,
    ...needed.filter(([name]) => !present.has(name)).map(([, create]) => create()),
    new DashboardConfigComponent(),
  ];
}

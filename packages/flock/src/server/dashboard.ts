import { AgentsServerComponent } from "./components/agents.ts";
import { ArtifactsComponent } from "./components/artifacts.ts";
import { ControlRoutesComponent } from "./components/control-routes.ts";
import { DeadLettersComponent } from "./components/dead-letters.ts";
import { HealthAndMetricsComponent } from "./components/health.ts";
import { StaticFilesServerComponent } from "./components/static-files.ts";
import { WebSocketServerComponent } from "./components/websocket.ts";
import { basePath } from "./http/path.ts";
import { OPEN } from "./security/identity.ts";
import { ServerComponent, type ServerContext } from "./server-component.ts";

/** Serves the paths of the other components to the dashboard: their prefixes are configurable. */
class DashboardConfigComponent extends ServerComponent {
  override readonly name = "dashboard-config";

  override registerRoutes({ app, components }: ServerContext): void {
    const websocket = components.get("websocket") as WebSocketServerComponent;
    const base = (name: string) => basePath(components.get(name)?.config.prefix ?? "/");
    const config = {
      websocket: websocket.path,
      control: base("control"),
      deadLetters: base("dead-letters"),
      agents: base("agents"),
      artifacts: base("artifacts"),
    };
    app.get("/dashboard-config.json", { ...OPEN, schema: { hide: true } }, () => config);
  }
}

/**
 * Returns the components, with those added that the dashboard needs.
 * @throws FlockError `invalid_options` when the dashboard has not been built.
 */
export function withDashboard(components: readonly ServerComponent[]): readonly ServerComponent[] {
  const present = new Set(components.map(({ name }) => name));
  const needed: (readonly [string, () => ServerComponent])[] = [
    ["websocket", () => new WebSocketServerComponent()],
    ["control", () => new ControlRoutesComponent()],
    ["dead-letters", () => new DeadLettersComponent()],
    ["agents", () => new AgentsServerComponent()],
    ["artifacts", () => new ArtifactsComponent()],
    ["health", () => new HealthAndMetricsComponent()],
    ["static-files", () => new StaticFilesServerComponent()],
  ];
  return [
    ...components,
    ...needed.filter(([name]) => !present.has(name)).map(([, create]) => create()),
    new DashboardConfigComponent(),
  ];
}

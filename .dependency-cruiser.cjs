// Which module may import which. ARCHITECTURE.md draws the map; this file enforces it.
const flock = "^packages/flock/src";

/** Restricts a folder of the runtime package to the folders named, besides itself and npm packages. */
const module_ = (name, allowed) => ({
  name: `module-${name.replaceAll("/", "-")}`,
  comment: `${name}/ may import only: ${allowed.join(", ") || "nothing else of this package"}.`,
  severity: "error",
  from: { path: `${flock}/${name}/`, pathNot: "(\\.test|/contract)\\.ts$" },
  to: { path: `${flock}/`, pathNot: [`${flock}/${name}/`, ...allowed.map((other) => `${flock}/${other}`)] },
});

const dashboard = "^packages/dashboard/src";

/** A folder of the dashboard imports only itself, packages, and the folders that are named. */
const dashboardFolder = (name, allowed) => ({
  name: `dashboard-${name}`,
  comment: `${name}/ may import only: ${allowed.join(", ") || "none of the dashboard's folders"}.`,
  severity: "error",
  from: { path: `${dashboard}/${name}/`, pathNot: "\\.test\\.tsx?$" },
  to: { path: `${dashboard}/`, pathNot: [name, ...allowed].map((other) => `${dashboard}/${other}/`) },
});

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment: "Types count too: a file must be readable without the file that imports it.",
      severity: "error",
      from: { path: "^packages/(flock|protocol|client|dashboard)/" },
      to: { circular: true },
    },
    {
      name: "no-cycles-in-the-dashboard",
      comment: "Types included: two files that need each other's types cannot be read apart.",
      severity: "error",
      from: { path: `${dashboard}/` },
      to: { circular: true },
    },
    dashboardFolder("timeline", []),
    dashboardFolder("router", []),
    dashboardFolder("forms", []),
    dashboardFolder("connection", ["router", "timeline"]),
    dashboardFolder("absence", ["timeline"]),
    dashboardFolder("session", ["absence", "connection", "router", "timeline"]),
    dashboardFolder("queries", ["connection", "session", "timeline"]),
    dashboardFolder("recordings", ["queries", "session", "timeline"]),
    dashboardFolder("ui", ["router", "session", "timeline"]),
    dashboardFolder("json", ["ui"]),
    dashboardFolder("commands", ["connection", "queries", "router", "session", "timeline", "ui"]),
    {
      name: "dashboard-screens",
      comment: "A screen imports no other screen, and nothing of the frame around it.",
      severity: "error",
      from: { path: `${dashboard}/screens/([^/]+)/` },
      to: { path: `${dashboard}/(shell|screens)/`, pathNot: `${dashboard}/screens/$1/` },
    },
    {
      name: "protocol-stands-alone",
      comment: "The wire contract imports no other package.",
      severity: "error",
      from: { path: "^packages/protocol/" },
      to: { path: "^packages/(?!protocol/)" },
    },
    {
      name: "client-knows-only-the-protocol",
      severity: "error",
      from: { path: "^packages/client/src", pathNot: "\\.test\\.tsx?$" },
      to: { path: "^packages/(?!client/|protocol/)" },
    },
    {
      name: "dashboard-knows-only-client-and-protocol",
      severity: "error",
      from: { path: "^packages/dashboard/" },
      to: { path: "^packages/(?!dashboard/|client/|protocol/)" },
    },
    module_("core", []),
    module_("blackboard", ["core/"]),
    module_("log", ["core/"]),
    module_("store", ["core/", "blackboard/", "log/"]),
    module_("telemetry", ["core/", "blackboard/"]),
    module_("agents", ["core/", "blackboard/", "store/", "middleware/"]),
    module_("middleware", ["core/", "blackboard/", "agents/"]),
    module_("projections", ["core/", "blackboard/", "log/", "store/"]),
    module_("runtime", [
      "core/",
      "blackboard/",
      "agents/",
      "middleware/",
      "store/",
      "telemetry/",
      "projections/",
      "delivery/commands.ts",
    ]),
    module_("engines", ["core/", "blackboard/", "agents/", "telemetry/", "runtime/runs/"]),
    module_("tools", ["core/", "agents/"]),
    module_("delivery", ["core/", "log/"]),
    module_("server", ["core/", "blackboard/", "store/", "log/", "delivery/", "runtime/"]),
    module_("testing", [
      "flock.ts",
      "core/",
      "blackboard/",
      "agents/",
      "store/",
      "log/",
      "delivery/",
      "engines/offline/",
    ]),
    {
      name: "only-testing-knows-the-client",
      comment: "Only the recorder connects to a server as a client.",
      severity: "error",
      from: { path: `${flock}/`, pathNot: [`${flock}/testing/`, "\\.test\\.ts$"] },
      to: { path: "^packages/client/" },
    },
    {
      name: "only-engines-know-the-ai-sdk",
      comment: "A flock of functions runs without the AI SDK: it is loaded when the first model is used.",
      severity: "error",
      from: { path: `${flock}/`, pathNot: [`${flock}/engines/`, "\\.test\\.ts$"] },
      to: { path: "node_modules/(ai|@ai-sdk)/" },
    },
    {
      name: "only-tools-and-server-know-mcp",
      comment: "Optional packages, loaded when MCP tools or the MCP server component are used.",
      severity: "error",
      from: { path: `${flock}/`, pathNot: [`${flock}/(tools|server)/`, "\\.test\\.ts$"] },
      to: { path: "node_modules/@modelcontextprotocol/" },
    },
    {
      name: "engines-are-loaded-when-wanted",
      severity: "error",
      from: { path: `${flock}/`, pathNot: [`${flock}/engines/`, "\\.test\\.ts$"] },
      to: { path: `${flock}/engines/`, dynamic: false, dependencyTypesNot: ["type-only", "type-import"] },
    },
    {
      name: "hub-knows-no-http-server",
      comment: "Only server components know the HTTP framework.",
      severity: "error",
      from: {
        path: `${flock}/(core|blackboard|store|log|agents|middleware|runtime|projections|delivery)/`,
        pathNot: "\\.test\\.ts$",
      },
      to: { path: "node_modules/(fastify|@fastify)" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "(/dist/|packages/flock/dashboard/)" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default"],
      extensions: [".ts", ".tsx", ".js", ".mjs"],
    },
  },
};

// Which room may import which. The map is in ARCHITECTURE.md; this file makes it a rule.
const flock = "^packages/flock/src";

/** A room imports only the rooms that are named, besides itself, packages, and the files at the root of src that are named. */
const room = (name, allowed) => ({
  name: `room-${name}`,
  comment: `${name}/ may import only: ${allowed.join(", ") || "nothing of ours"}.`,
  severity: "error",
  from: { path: `${flock}/${name}/`, pathNot: "\\.test\\.ts$" },
  to: { path: `${flock}/`, pathNot: [`${flock}/${name}/`, ...allowed.map((other) => `${flock}/${other}`)] },
});

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "protocol-stands-alone",
      comment: "The wire contract knows nobody: everyone else imports it.",
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
    room("blackboard", ["errors.ts"]),
    room("store", ["blackboard/", "events/", "errors.ts"]),
    room("events", []),
    room("telemetry", ["blackboard/", "clock.ts", "version.ts"]),
    room("agents", ["blackboard/", "store/", "telemetry/", "clock.ts", "errors.ts", "redaction.ts"]),
    room("engines", ["blackboard/", "agents/", "telemetry/", "errors.ts", "redaction.ts"]),
    room("tools", ["agents/", "errors.ts", "redaction.ts", "version.ts"]),
    room("realtime", ["events/", "errors.ts"]),
    room("server", ["flock.ts", "blackboard/", "agents/", "store/", "events/", "realtime/", "errors.ts", "version.ts"]),
    room("testing", [
      "flock.ts",
      "blackboard/",
      "agents/",
      "store/",
      "events/",
      "realtime/",
      "clock.ts",
      "errors.ts",
      "version.ts",
      "engines/offline/offline-model.ts",
    ]),
    {
      name: "only-testing-knows-the-client",
      comment: "A server is no client of itself; what records another one is.",
      severity: "error",
      from: { path: `${flock}/`, pathNot: [`${flock}/testing/`, "\\.test\\.ts$"] },
      to: { path: "^packages/client/" },
    },
    {
      name: "only-engines-know-the-ai-sdk",
      comment: "A flock of functions runs without it: the core loads engines/ai when a model is used.",
      severity: "error",
      from: { path: `${flock}/`, pathNot: [`${flock}/engines/`, "\\.test\\.ts$"] },
      to: { path: "node_modules/(ai|@ai-sdk)/" },
    },
    {
      name: "only-tools-and-server-know-mcp",
      comment: "Optional packages: they are loaded when somebody uses a server's tools, or is such a server.",
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
      comment: "The core knows no transport framework; components translate.",
      severity: "error",
      from: { path: `${flock}/(blackboard|store|events|agents|realtime)/`, pathNot: "\\.test\\.ts$" },
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

import { asyncApiDocument, commandSchemas, controlSchemas, eventSchemas } from "@flock-ts/protocol";
import { Flock } from "flock-ts";
import * as components from "flock-ts/components/server";
import { describe, expect, it } from "vitest";
import { startServer } from "../support/server.ts";
import { type Block, blocksOf, DOCUMENTS, read, sectionsOf } from "./documents.ts";

/** Returns the section of a page with the given heading. */
function section(document: string, heading: string): string {
  const found = sectionsOf(read(document)).find((one) => one.heading === heading);
  if (!found) throw new Error(`${document} has no section "${heading}"`);
  return found.text;
}

/** Returns the rows of all tables in a text, as lists of cells. */
function rowsOf(text: string): string[][] {
  return [...text.matchAll(/^\| (.+) \|$/gm)].map((row) =>
    (row[1] as string).split(/ +\| +/).map((cell) => cell.trim()),
  );
}

describe("messages in the documentation match the contract", () => {
  const schemas = { ...eventSchemas, ...controlSchemas };
  const messages = DOCUMENTS.flatMap((document) => blocksOf(document, "json"))
    .map((block): [string, Block, Record<string, unknown>] => {
      const message = JSON.parse(block.code);
      return [`${block.document}:${block.line} ${message.type}`, block, message];
    })
    .filter(([, , message]) => typeof message.type === "string");

  it.for(messages)("%s", ([, , message]) => {
    const isCommand = "id" in message && message.type !== "reply";
    const schema = (isCommand ? commandSchemas : schemas)[
      message.type as never
    ] as (typeof eventSchemas)["gate_progress"];
    expect(schema, "a known type").toBeDefined();
    expect(schema.strict().safeParse(message).error?.issues).toBeUndefined();
  });
});

describe("the page of WebSocketServerComponent", () => {
  const page = "docs/websocket-server-component.md";
  const websocket = new components.WebSocketServerComponent();

  it("lists every option with its default", () => {
    const documented = new Map(rowsOf(section(page, "Configuration")).map(([option, value]) => [option, value]));
    const { maxMessageBytes, ...rest } = websocket.config;
    expect(maxMessageBytes).toBe(1024 * 1024);
    expect(documented.get("`maxMessageBytes`")).toBe("1 MiB");
    expect(documented.get("`maxConnections`")).toBe("no limit");
    expect(rest.maxConnections).toBeUndefined();
    for (const [option, value] of Object.entries(rest)) {
      if (option === "maxConnections") continue;
      expect(documented.get(`\`${option}\``)).toBe(`\`${typeof value === "string" ? value : JSON.stringify(value)}\``);
    }
  });

  it("lists every message of the server", () => {
    const text = section(page, "Messages");
    for (const type of [...Object.keys(eventSchemas), ...Object.keys(controlSchemas)]) {
      expect(text).toContain(`\`${type}\``);
    }
  });

  it("lists every Prometheus metric", async () => {
    await using server = await startServer({
      components: [new components.WebSocketServerComponent(), new components.HealthAndMetricsComponent()],
    });
    const metrics = await (await server.get("/metrics")).text();
    const names = new Set([...metrics.matchAll(/^# HELP flock_websocket(_\w+)/gm)].map((match) => match[1] as string));
    expect(names.size).toBeGreaterThan(0);
    for (const name of names) expect(read(page)).toMatch(new RegExp(`\`(flock_websocket|…)${name}\``));
  });
});

describe("the table of components lists name, priority and options", () => {
  const rows = rowsOf(section("docs/server-and-components.md", "Components"));
  const all = Object.values(components)
    .filter((export_) => export_ !== components.ServerComponent)
    .map((Component) => new (Component as new () => components.ServerComponent)());

  it.for(all.map((component) => [component.constructor.name, component] as const))("%s", ([className, component]) => {
    const row = rows.find(([first]) => first === `\`${className}\``);
    expect(row?.slice(1, 3)).toEqual([`\`${component.name}\``, String(component.priority)]);
    if (className === "WebSocketServerComponent") return;
    for (const option of Object.keys(component.config)) {
      if (["priority", "tags"].includes(option)) continue;
      expect(row?.[3]).toContain(`\`${option}\``);
    }
  });
});

describe("the wire contract", () => {
  it("lists every route of a server with all components", async () => {
    await using server = await startServer({ flock: new Flock(), dashboard: true });
    const { paths } = (await (await server.get("/openapi.json")).json()) as { paths: Record<string, object> };
    const text = section("docs/wire-contract.md", "HTTP");
    const routes = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `\`${method.toUpperCase()} ${path}\``),
    );
    expect(routes.length).toBeGreaterThan(10);
    expect(routes.filter((route) => !route.startsWith("`HEAD") && !text.includes(route))).toEqual([]);
  });

  it("lists every query parameter of the WebSocket", () => {
    const { channels } = asyncApiDocument({ path: "/plugin/ws", version: "0" }) as {
      channels: { events: { bindings: { ws: { query: { properties: Record<string, unknown> } } } } };
    };
    const text = section("docs/wire-contract.md", "Connecting");
    for (const name of Object.keys(channels.events.bindings.ws.query.properties)) expect(text).toContain(`\`${name}=`);
  });
});

describe("tables of options match the options and defaults in the code", () => {
  it.for([
    ["docs/components.md", "Rate limit", "middleware/rate-limit.ts", "RateLimitOptions"],
    ["docs/components.md", "Cache", "middleware/cache.ts", "CacheOptions"],
    ["docs/components.md", "Budget", "middleware/budget.ts", "BudgetOptions"],
    ["docs/runs.md", "Retries", "agents/retry-policy.ts", "RetryOptions"],
    ["docs/runs.md", "Circuit breaker", "agents/circuit-options.ts", "CircuitBreakerOptions"],
  ] as const)("%s, %s", ([page, heading, file, name]) => {
    const source = read(`packages/flock/src/${file}`);
    const declared = new RegExp(`^export interface ${name} \\{\\n([\\s\\S]*?)^\\}`, "m").exec(source)?.[1] as string;
    const options = [...declared.matchAll(/\/\*\*([\s\S]*?)\*\/\s+readonly (\w+)(\??):/g)].map(
      ([, doc, option, mark]) => {
        const text = (doc as string).replaceAll(/\s*\n\s*\* ?/g, " ");
        return [`\`${option}\``, mark === "" ? "–" : /Default:? (.+?)\.(\s|$)/.exec(text)?.[1]] as const;
      },
    );
    const table = rowsOf(section(page, heading)).filter(([cell]) => /^`\w+`$/.test(cell as string));
    const documented = new Map(table.map(([option, byDefault]) => [option, byDefault?.replace(/ ms$/, "") as string]));
    expect([...documented.keys()].sort()).toEqual(options.map(([option]) => option).sort());
    for (const [option, byDefault] of options) {
      expect(byDefault, `${option} documents its default where it is declared`).toContain(documented.get(option));
    }
  });
});

import { describe, expect, it } from "vitest";
import { asyncApiDocument, commandSchemas, controlSchemas, eventSchemas } from "../index.ts";

const document = asyncApiDocument({ path: "/plugin/ws", version: "1.2.3", host: "localhost:8000" });

describe("the AsyncAPI document", () => {
  it("describes every event, control message and command", () => {
    const { messages } = document.components as { messages: Record<string, { name: string }> };
    const named = Object.values(messages).map(({ name }) => name);
    const all = [...Object.keys(eventSchemas), ...Object.keys(controlSchemas), ...Object.keys(commandSchemas)];
    expect(named).toEqual(expect.arrayContaining([...new Set(all)]));
  });

  it("has no reference that leads nowhere", () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1] as string);
    expect(references.length).toBeGreaterThan(40);
    for (const reference of references) {
      const target = reference
        .slice(2)
        .split("/")
        .reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], document);
      expect(target, reference).toBeDefined();
    }
  });
});

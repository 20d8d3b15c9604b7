import { describe, expect, it } from "vitest";
import { EVENT_TYPES, eventDraftSchema, eventSchema, eventSchemas } from "./events.ts";

const typesOf = (options: readonly { readonly shape: { readonly type: { readonly value: string } } }[]) =>
  options.map(({ shape }) => shape.type.value).sort();

describe("the list of event types", () => {
  const types = Object.keys(eventSchemas).sort();

  it("is the same in the drafts, the union and the table of schemas", () => {
    expect(typesOf(eventDraftSchema.options)).toEqual(types);
    expect(typesOf(eventSchema.options)).toEqual(types);
    expect([...EVENT_TYPES].sort()).toEqual(types);
  });

  it("names each schema by the type that it accepts", () => {
    for (const [type, schema] of Object.entries(eventSchemas)) expect(schema.shape.type.value).toBe(type);
  });
});

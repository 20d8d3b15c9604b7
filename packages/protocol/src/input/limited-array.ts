import { z } from "zod";

interface LimitedArrayDef extends z.core.$ZodArrayDef {
  limit: number;
  message: string;
}
interface LimitedArray extends z.ZodArray {
  _zod: z.core.$ZodArrayInternals & { def: LimitedArrayDef };
}

/** A class instead of a patched instance, because Zod copies a schema for each method that is called on it. */
const LimitedArray = z.core.$constructor<LimitedArray, LimitedArrayDef>("LimitedArray", (inst, def) => {
  z.ZodArray.init(inst, def);
  const { parse } = inst._zod;
  inst._zod.parse = (payload, ctx) => {
    const { value: input } = payload;
    if (!Array.isArray(input) || input.length <= def.limit) return parse(payload, ctx);
    const { limit: maximum, message } = def;
    payload.issues.push({
      code: "too_big",
      origin: "array",
      maximum,
      inclusive: true,
      input,
      inst,
      message,
      continue: false,
    });
    return payload;
  };
});

/**
 * Builds the schema of an array with a maximum length, which is checked before the items are: `z.array(item).max(n)`
 * validates millions of items first, and reports an issue for each.
 */
export function limitedArray<T extends z.ZodType>(
  item: T,
  limit: number,
  message = `has too many items: the limit is ${limit}`,
): z.ZodArray<T> {
  return (new LimitedArray({ type: "array", element: item, limit, message }) as unknown as z.ZodArray<T>).max(limit);
}

import { z } from "zod";

/** The longest id, name or tag, in UTF-16 code units. */
export const MAX_NAME_LENGTH = 200;

/** Validates an id, a name or a tag: everything that events repeat. */
export const nameSchema = z
  .string()
  .min(1)
  .max(MAX_NAME_LENGTH, `is too long: the limit is ${MAX_NAME_LENGTH} characters`);

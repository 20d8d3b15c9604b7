import { z } from "zod";

/** Who may see an artifact. This version knows one kind, `public`; any other is refused by name. */
export const visibilitySchema = z
  .strictObject({ kind: z.literal("public") })
  .meta({ id: "Visibility", description: "Who may see an artifact." });

/** Who may see an artifact. */
export type Visibility = z.infer<typeof visibilitySchema>;

/** The visibility of an artifact that names none. */
export const PUBLIC: Visibility = Object.freeze({ kind: "public" as const });

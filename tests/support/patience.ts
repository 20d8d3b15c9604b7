// Makes `vi.waitFor` wait longer than Vitest's second, for every test file. Vitest loads it (`setupFiles`).
// A busy machine needs the time, and only a failing test uses all of it.
import { vi } from "vitest";

const PATIENCE = { timeout: 15_000, interval: 20 };
const { waitFor } = vi;

vi.waitFor = (callback, options) =>
  waitFor(callback, typeof options === "number" ? options : { ...PATIENCE, ...options });

import { describe, expect, it } from "vitest";
import { actionAfterClose, CLOSE } from "./close-codes.ts";

describe("actionAfterClose", () => {
  it("agrees with the table of close codes", () => {
    for (const { code, action } of Object.values(CLOSE)) expect(actionAfterClose(code), String(code)).toBe(action);
  });

  it("stops after an unknown code from 4400 to 4499, and reconnects after any other", () => {
    const known = new Set<number>(Object.values(CLOSE).map(({ code }) => code));
    for (let code = 1_000; code < 5_000; code++) {
      if (known.has(code)) continue;
      expect(actionAfterClose(code), String(code)).toBe(code >= 4_400 && code <= 4_499 ? "stop" : "reconnect");
    }
  });
});

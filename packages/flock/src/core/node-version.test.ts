import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { assertNodeVersion } from "./node-version.ts";

it("refuses a Node that is too old with a sentence", () => {
  expect(() => assertNodeVersion("20.20.2")).toThrow(
    "flock-ts requires Node 24 or newer, and this is Node 20.20.2. Install a newer Node.",
  );
  expect(() => assertNodeVersion("24.0.0")).not.toThrow();
  expect(() => assertNodeVersion("100.1.0")).not.toThrow();
});

it("agrees with `engines` of the package", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(manifest.engines).toEqual({ node: ">=24" });
});

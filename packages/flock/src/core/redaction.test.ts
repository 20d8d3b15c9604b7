import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { secrets } from "../../../../tests/support/secrets.ts";
import { REDACTED, Redaction } from "./redaction.ts";

const redaction = new Redaction();

/** Generates JSON values that contain the text at some path. */
const around = (text: string): fc.Arbitrary<unknown> =>
  fc.letrec<{ place: unknown }>((tie) => ({
    place: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc
        .tuple(fc.constantFrom("", "see ", "x=", '"', "'", "(", "\n"), fc.constantFrom("", " .", '"', "\n", ")"))
        .map(([before, after]) => before + text + after),
      fc.record({ a: fc.string(), b: tie("place") }),
      fc.array(tie("place"), { minLength: 1, maxLength: 2 }),
      fc.constant({ [text]: 1 }),
      tie("place").map((inner) => JSON.stringify(inner)),
    ),
  })).place;

describe("redacting a secret", () => {
  it("works anywhere in a JSON value, escaped or not", () => {
    fc.assert(
      fc.property(
        secrets.chain((secret) => around(secret.text).map((value) => ({ secret, value }))),
        ({ secret, value }) => {
          expect(JSON.stringify(redaction.value(value))).not.toContain(secret.core);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("works in any surrounding text", () => {
    fc.assert(
      fc.property(secrets, fc.string(), fc.string(), (secret, before, after) => {
        expect(redaction.text(`${before} ${secret.text} ${after}`)).not.toContain(secret.core);
      }),
      { numRuns: 500 },
    );
  });

  it("works for a private key that is spread over the items of an array", () => {
    const lines = [
      "-----BEGIN PRIVATE KEY-----",
      "MIIEvQIBADANBgkqhkiG9w0BAQ",
      "9w0BAQEFAASCBKcwggSjAgEA",
      "-----END PRIVATE KEY-----",
    ];
    const text = redaction.text(JSON.stringify(redaction.value({ key: lines }), null, 2));
    for (const line of lines.slice(1, 3)) expect(text).not.toContain(line);
  });

  it("works for fields with a secret name", () => {
    expect(
      redaction.value({
        password: "hunter2",
        apiKey: "k",
        client_secret: "s",
        "Private-Key": "p",
        user: "ann",
        tokens: 7,
      }),
    ).toEqual({
      password: REDACTED,
      apiKey: REDACTED,
      client_secret: REDACTED,
      "Private-Key": REDACTED,
      user: "ann",
      tokens: 7,
    });
  });

  it("applies custom patterns, with or without the g flag", () => {
    const own = new Redaction([/EMP-\d+/, /badge \w+/gi]);
    expect(own.text("EMP-1 EMP-22 Badge x1 sk-aaaaaaaaaaaaaaaaaaaa")).toBe([1, 2, 3, 4].map(() => REDACTED).join(" "));
  });
});

describe("text that is not secret", () => {
  it.for([
    "The bearer of this letter, incomprehensibilities notwithstanding, risks-nothing.",
    "https://example.com:8443/path?q=a@b.example and http://user@host/",
    "-----BEGIN PRIVATE KEY----- is how one begins",
    "-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n-----END CERTIFICATE-----",
    "task-force, desk-lamp-with-a-very-long-name, the secret of a good dough",
    "TOKENS=5 and PASSWORD_LENGTH=12",
  ])("stays unchanged: %s", (text) => {
    expect(redaction.text(text)).toBe(text);
  });

  it("stays unchanged when redacted twice", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const once = redaction.value(value);
        expect(redaction.value(once)).toEqual(once);
      }),
    );
  });
});

describe("redaction time", () => {
  // A pattern with quadratic time would take hours for a megabyte.
  it.for([
    "eyJ",
    "sk-",
    "a.b-c_",
    "://",
    "://a:",
    "bearer ",
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN ",
    "SECRET",
    "SECRET=",
    '="',
    "xox",
    "A",
    " ",
    "authorization: ",
    "SG.",
    "eyJaaaaaaaa.",
  ])("stays linear for repeated %s", (piece) => {
    const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
    expect(redaction.text(text).length).toBeGreaterThan(0);
  });
});

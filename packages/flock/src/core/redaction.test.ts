import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { secrets } from "../../../../tests/support/secrets.ts";
import { REDACTED, Redaction } from "./redaction.ts";

const redaction = new Redaction();

/** A JSON value with this text somewhere in it. */
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

describe("a secret does not get through", () => {
  it("wherever it stands in a JSON value, escaped or not", () => {
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

  it("in a text, whatever surrounds it", () => {
    fc.assert(
      fc.property(secrets, fc.string(), fc.string(), (secret, before, after) => {
        expect(redaction.text(`${before} ${secret.text} ${after}`)).not.toContain(secret.core);
      }),
      { numRuns: 500 },
    );
  });

  it("when a private key is spread over the fields of an array", () => {
    const lines = [
      "-----BEGIN PRIVATE KEY-----",
      "MIIEvQIBADANBgkqhkiG9w0BAQ",
      "9w0BAQEFAASCBKcwggSjAgEA",
      "-----END PRIVATE KEY-----",
    ];
    const text = redaction.text(JSON.stringify(redaction.value({ key: lines }), null, 2));
    for (const line of lines.slice(1, 3)) expect(text).not.toContain(line);
  });

  it("in a field whose name says it", () => {
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

  it("when a pattern of one's own names it, with or without g", () => {
    const own = new Redaction([/EMP-\d+/, /badge \w+/gi]);
    expect(own.text("EMP-1 EMP-22 Badge x1 sk-aaaaaaaaaaaaaaaaaaaa")).toBe([1, 2, 3, 4].map(() => REDACTED).join(" "));
  });
});

describe("what is no secret stays", () => {
  it.for([
    "The bearer of this letter, incomprehensibilities notwithstanding, risks-nothing.",
    "https://example.com:8443/path?q=a@b.example and http://user@host/",
    "-----BEGIN PRIVATE KEY----- is how one begins",
    "-----BEGIN CERTIFICATE-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n-----END CERTIFICATE-----",
    "task-force, desk-lamp-with-a-very-long-name, the secret of a good dough",
    "TOKENS=5 and PASSWORD_LENGTH=12",
  ])("%s", (text) => {
    expect(redaction.text(text)).toBe(text);
  });

  it("in its shape: redacting twice changes nothing more", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const once = redaction.value(value);
        expect(redaction.value(once)).toEqual(once);
      }),
    );
  });
});

describe("no text takes longer than its length", () => {
  // With a pattern that takes the square of it, a megabyte would take hours.
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
  ])("%s again and again", (piece) => {
    const text = piece.repeat(Math.ceil(1_000_000 / piece.length));
    expect(redaction.text(text).length).toBeGreaterThan(0);
  });
});

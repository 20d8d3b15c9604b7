import fc from "fast-check";

const of = (characters: string, min: number, max = min + 20) =>
  fc.string({ unit: fc.constantFrom(...characters), minLength: min, maxLength: max });
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ALPHANUMERIC = `${LETTERS}0123456789`;
const URL_SAFE = `${ALPHANUMERIC}_-`;

/** A secret: `core` is the part that must not leak, `text` contains it. */
export interface Secret {
  readonly text: string;
  readonly core: string;
}

const plain = (prefix: string, rest: fc.Arbitrary<string>): fc.Arbitrary<Secret> =>
  rest.map((core) => ({ text: `${prefix}${core}`, core }));

const pem = fc
  .tuple(
    fc.constantFrom("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "),
    fc.constantFrom("\n", "\r\n", "\\n"),
    of(ALPHANUMERIC, 64, 200),
  )
  .map(([kind, end, core]) => ({
    text: ["-----BEGIN ", kind, "PRIVATE KEY-----", end, core, end, "-----END ", kind, "PRIVATE KEY-----"].join(""),
    core,
  }));

/** Secrets of every known form. */
export const secrets: fc.Arbitrary<Secret> = fc.oneof(
  plain("sk-", of(URL_SAFE, 20, 60)),
  plain("sk-ant-api03-", of(URL_SAFE, 40, 100)),
  plain("sk-proj-", of(URL_SAFE, 40, 160)),
  plain("ghp_", of(ALPHANUMERIC, 36, 36)),
  plain("github_pat_", of(ALPHANUMERIC, 60, 80)),
  plain("glpat-", of(URL_SAFE, 20)),
  plain("hf_", of(LETTERS, 34, 34)),
  plain("sk_live_", of(ALPHANUMERIC, 24)),
  plain("xoxb-", of("0123456789", 12)),
  plain("AIza", of(URL_SAFE, 35, 35)),
  plain("AKIA", of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16, 16)),
  plain(
    "Bearer ",
    of(ALPHANUMERIC, 20, 60).map((core) => `${core}7`),
  ),
  plain("AWS_SECRET_ACCESS_KEY=", of(`${ALPHANUMERIC}/+`, 40, 40)),
  fc
    .tuple(of(URL_SAFE, 12), of(URL_SAFE, 20), of(URL_SAFE, 20))
    .map(([head, body, core]) => ({ text: `eyJ${head}.eyJ${body}.${core}`, core })),
  fc
    .tuple(
      fc.constantFrom("postgres", "mongodb+srv", "redis", "amqps", "https"),
      of(`${ALPHANUMERIC}!$%()*+?@_-`, 8, 30),
    )
    .map(([scheme, core]) => ({ text: `${scheme}://app:${core}@db.example:5432/main`, core })),
  pem,
);

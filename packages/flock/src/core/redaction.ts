/** Replacement for a secret. */
export const REDACTED = "[redacted]";

/** Makes a pattern match only where a token of these characters starts, or after an escape such as the n of "\\n". */
function token(characters: string, { source, flags }: RegExp): RegExp {
  return new RegExp(`(?:(?<![${characters}])|(?<=\\\\[bfnrt])|(?<=\\\\u[0-9a-fA-F]{4}))${source}`, flags);
}

/**
 * Patterns that match secrets anywhere in a text. Each pattern takes linear time on any text, because it matches only
 * at the start of a token and repeats one character class.
 */
const SECRETS: readonly RegExp[] = [
  // OpenAI, Anthropic, OpenRouter, DeepSeek and other providers with the same key format.
  token("A-Za-z0-9", /sk-[A-Za-z0-9_-]{16,}/g),
  // GitHub, GitLab, npm, Hugging Face, Groq, xAI, Perplexity, Replicate.
  token("A-Za-z0-9", /(?:gh[opsur]_|github_pat_|glpat-|npm_|hf_|gsk_|xai-|pplx-|r8_)[A-Za-z0-9_-]{20,}/g),
  // Stripe.
  token("A-Za-z0-9", /(?:[prs]k_(?:live|test)|whsec)_[A-Za-z0-9]{16,}/g),
  // Slack.
  token("A-Za-z0-9", /xox[a-z]-[A-Za-z0-9-]{10,}/g),
  token("A-Za-z0-9", /xapp-[A-Za-z0-9-]{10,}/g),
  /hooks\.slack\.com\/services\/[A-Za-z0-9/]{16,}/g,
  // Google: API keys, client secrets, access tokens.
  token("A-Za-z0-9_-", /AIza[A-Za-z0-9_-]{35}/g),
  token("A-Za-z0-9_-", /GOCSPX-[A-Za-z0-9_-]{20,}/g),
  token("A-Za-z0-9_-", /ya29\.[A-Za-z0-9_-]{20,}/g),
  // AWS: ids of access keys. The keys themselves have no recognizable form; see the assignments below.
  token("A-Z0-9", /(?:AKIA|ASIA)[A-Z0-9]{16}/g),
  // SendGrid.
  token("A-Za-z0-9_-", /SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}/g),
  // JSON Web Tokens.
  token("A-Za-z0-9_-", /eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g),
  // HTTP credentials. A digit is required, so that "bearer" followed by a long word is kept.
  token("A-Za-z0-9", /bearer\s{1,8}(?=[A-Za-z._~+/-]{0,200}\d)[A-Za-z0-9._~+/=-]{16,}/gi),
  token("A-Za-z0-9", /authorization["']?\s{0,4}:\s{0,4}["']?basic\s{1,8}[A-Za-z0-9+/=]{8,}/gi),
  // Private keys: truncated ones too, with escaped line breaks, or line by line in a JSON array.
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?=[\s\S]{0,300}?[A-Za-z0-9+/=]{24})(?:[A-Za-z0-9+/=\s\\"',:.;()]|-(?!----)){16,}(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?/g,
  // Passwords in connection strings and other addresses.
  /:\/\/[^\s:/@"'<>]{0,200}:[^\s/"'<>]{1,200}@/g,
  // Secrets in environment variables and shell assignments: AWS_SECRET_ACCESS_KEY=….
  /(?<=(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)[A-Z0-9_]{0,20}=\\?["']?)(?!\[redacted\])[^\s"'\\;&]{6,}/g,
];

/** Field names whose text is always a secret. Compared without `_`, `-` and case. */
const SECRET_FIELDS = new Set(
  (
    "password passwd passphrase secret clientsecret secretkey secretaccesskey apikey accesskey accesstoken refreshtoken " +
    "idtoken authtoken bearertoken privatekey authorization connectionstring"
  ).split(" "),
);

/** Removes secrets from what leaves the program. Stored data is not changed. */
export class Redaction {
  readonly #patterns: readonly RegExp[];

  /** @param own the user's patterns, in addition to the built-in ones. */
  constructor(own: readonly RegExp[] = []) {
    this.#patterns = [...SECRETS, ...own.map(everywhere)];
  }

  /** Returns the text without its secrets. */
  text(text: string): string {
    return this.#patterns.reduce((rest, pattern) => rest.replace(pattern, REDACTED), text);
  }

  /**
   * Returns a copy of a JSON value without secrets in texts, keys and fields with secret names. Other values are kept.
   */
  value<T>(value: T): T {
    return this.#copy(value) as T;
  }

  #copy(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((item) => this.#copy(item));
    if (!isRecord(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [
        this.text(key),
        typeof item === "string" && item !== "" && isSecretField(key) ? REDACTED : this.#copy(item),
      ]),
    );
  }
}

/** Makes a custom pattern match every occurrence, from any position. */
function everywhere({ source, flags }: RegExp): RegExp {
  return new RegExp(source, `${flags.replace(/[gy]/g, "")}g`);
}

function isSecretField(key: string): boolean {
  return key.length < 40 && SECRET_FIELDS.has(key.toLowerCase().replace(/[_-]/g, ""));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

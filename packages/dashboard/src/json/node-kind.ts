/** Gives equal values equal numbers and different values different numbers, regardless of field order. */
export class Sameness {
  readonly #numbers = new Map<string, number>();
  readonly #known = new WeakMap<object, number>();

  of(value: unknown): number {
    if (typeof value !== "object" || value === null) return this.#number(`=${JSON.stringify(value) ?? "nothing"}`);
    let number = this.#known.get(value);
    if (number !== undefined) return number;
    number = this.#number(
      Array.isArray(value)
        ? `[${value.map((entry) => this.of(entry)).join()}`
        : `{${Object.keys(value)
            .sort()
            .map((key) => `${JSON.stringify(key)}${this.of((value as Record<string, unknown>)[key])}`)
            .join()}`,
    );
    this.#known.set(value, number);
    return number;
  }

  #number(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) this.#numbers.set(text, (number = this.#numbers.size));
    return number;
  }
}

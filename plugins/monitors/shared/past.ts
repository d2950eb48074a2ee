/** The middle value of some numbers; of an even number of them the mean of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.floor(middle - 0.5)] + sorted[Math.floor(middle)]) / 2;
}

/** The last values of a number, the newest last. Single readings are of single batches; the median of a few is steady. */
export class Past {
  readonly #length: number;
  readonly #values: number[] = [];

  constructor(length: number) {
    this.#length = length;
  }
  /** Takes a value; one that is missing or not finite changes nothing. */
  take(value: number | undefined): this {
    if (value === undefined || !Number.isFinite(value)) return this;
    this.#values.push(value);
    if (this.#values.length > this.#length) this.#values.shift();
    return this;
  }
  /** Whether there are as many as it holds. */
  get full(): boolean {
    return this.#values.length === this.#length;
  }
  /** NaN until it is full. */
  get median(): number {
    return this.full ? median(this.#values) : Number.NaN;
  }
}

/** A number in a sentence. */
export const shown = (value: number): string =>
  Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3)
    ? value.toExponential(1)
    : String(Number(value.toPrecision(3)));

/** What calms a run: the learning rates of its roles, the weights of its GAN losses, and where there is a critic, more of its updates. */
export function calming(values: Readonly<Record<string, number>>): string {
  const named = Object.keys(values).map((name) => name.slice(0, name.indexOf("/")));
  const roles = [...new Set(named)].filter((role) => role !== "samples");
  const rates = roles.map((role) => `optimizers.${role}.lr`).join(" and ");
  const games = Object.keys(values).flatMap((name) =>
    name.includes("/gan-") ? [name.slice(name.indexOf("/") + 1)] : [],
  );
  const weights = games.map((name) => `losses.${name}.weight`).join(" and ");
  return [
    `lower ${rates || "the learning rates"}`,
    ...(weights ? [`or ${weights}`] : []),
    ...(roles.includes("critic") ? ["or raise method.ttur.critic"] : []),
  ].join(", ");
}

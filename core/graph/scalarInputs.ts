import { failure, invariant } from "../errors.ts";
import { input, view } from "../ops/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Enough for the rates, corrections and weights of any phase; a few hundred bytes per step. */
const CAPACITY = 64;

/** The numbers that change from run to run of a program, sent to the device in one small write. */
export class ScalarInputs {
  readonly #names: string[] = [];
  readonly #tensor = input("scalars", [CAPACITY]);

  /** The number called `name` as a scalar tensor. */
  get(name: string): Tensor {
    if (!this.#names.includes(name)) this.#names.push(name);
    const offset = this.#names.indexOf(name);
    invariant(offset < CAPACITY, "too many scalar inputs");
    return view(this.#tensor, { offset, shape: [] });
  }
  /** The same by property, for rules that take a record of them: what is read is what will be sent. */
  readonly named: Readonly<Record<string, Tensor>> = new Proxy(
    {},
    { get: (_, name) => (typeof name === "string" ? this.get(name) : undefined) },
  );
  /** The input's value for one run. Every name asked for must be given. */
  encode(values: Readonly<Record<string, number>>): Float32Array {
    const data = new Float32Array(CAPACITY);
    this.#names.forEach((name, i) => {
      if (!Object.hasOwn(values, name))
        throw failure(
          "E_CONFIG",
          `Cannot run a program: its scalar "${name}" was not given, it should be one of ${Object.keys(values).join(", ")}`,
        );
      data[i] = values[name];
    });
    return data;
  }
}

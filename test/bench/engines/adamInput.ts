import { input, view } from "../../../core/ops/mod.ts";
import { type AdamScalars, adamScalars } from "../../../core/optim/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";

/** Adam's scalars as the program input "adam", and their values at each update. */
export interface AdamInput {
  readonly scalars: AdamScalars<Tensor>;
  valuesAt(update: number): Float32Array;
}

export function adamInput(rate: number): AdamInput {
  const adam = input("adam", [3]);
  const [stepSize, rootScale, decay] = [0, 1, 2].map((offset) => view(adam, { offset, shape: [] }));
  return {
    scalars: { stepSize, rootScale, decay },
    valuesAt(update) {
      const { stepSize, rootScale, decay } = adamScalars(update, rate);
      return Float32Array.of(stepSize, rootScale, decay);
    },
  };
}

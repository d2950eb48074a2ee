import { NoiseSource } from "../diffusion/noiseSource.ts";
import { input } from "../ops/mod.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Draws that a reference made, handed out in order. */
export class GivenNoise extends NoiseSource {
  readonly #normals: Tensor[];
  readonly #integers: Tensor[];
  readonly #uniforms: Tensor[];
  constructor(normals: Tensor[], integers: Tensor[] = [], uniforms: Tensor[] = []) {
    super(input("unused key", [3], "i32"));
    this.#normals = [...normals];
    this.#integers = [...integers];
    this.#uniforms = [...uniforms];
  }
  override normal(_shape: Shape): Tensor {
    return this.#normals.shift()!;
  }
  override uniform(_shape: Shape): Tensor {
    return this.#uniforms.shift()!;
  }
  override integers(_count: number, _low: number, _high: number): Tensor {
    return this.#integers.shift()!;
  }
  override commonInteger(low: number, high: number): Tensor {
    return this.integers(1, low, high);
  }
}

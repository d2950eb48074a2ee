import type { NoiseSource } from "../../diffusion/noiseSource.ts";
import type { Condition } from "../../interfaces/condition.ts";
import type { DataShape } from "../../interfaces/dataset.ts";
import type { GeneratorNetwork } from "../../interfaces/generator.ts";
import type { Images } from "../../interfaces/loss.ts";
import {
  add,
  addRows,
  input,
  mul,
  reshape,
  state,
  takeRows,
  toFloat,
  toInt,
} from "../../ops/mod.ts";
import { type Shape, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type Described, textInputs } from "./conditionInputs.ts";

/** States that hand the generator's images to the critic's turn, for the whole batch. */
export const STORED = { x: "generated.x", label: "generated.label" } as const;

/** What the images of a phase follow from. */
export interface ImageSource {
  readonly data: DataShape;
  /** Images of this part, and of the whole batch. */
  readonly size: number;
  readonly batch: number;
  /** Places of the part in the batch, where it is gathered in parts. */
  readonly rows?: Tensor;
  readonly noise: NoiseSource;
  readonly generated: "fresh" | "stored";
}

/** Real and generated images, made when a loss first asks for them. */
export class PhaseImages {
  readsReal = false;
  #real: Images | undefined;
  #generated: Images | undefined;
  readonly #source: ImageSource;
  readonly #generator: () => GeneratorNetwork;

  constructor(source: ImageSource, generator: () => GeneratorNetwork) {
    this.#source = source;
    this.#generator = generator;
  }
  get real(): Images {
    this.readsReal = true;
    const { data, size } = this.#source;
    return (this.#real ??= {
      x: input("real.x", [size, ...data.sample]),
      condition: this.#condition("real", () => input("real.label", [size], "i32")),
    });
  }
  get generated(): Images {
    const stored = this.#source.generated === "stored";
    return (this.#generated ??= stored ? this.#readStored() : this.#generate());
  }
  /** Texts of generated images are fed, not stored: the turns of a step are given the same. */
  #condition(who: Described, label: () => Tensor): Condition {
    const { data, size } = this.#source;
    return { ...(data.classes > 0 && { label: label() }), ...textInputs(data.text, who, size) };
  }

  #generate(): Images {
    const { data, size, noise } = this.#source;
    const generator = this.#generator();
    if (generator.startsFromReal) {
      const { condition } = this.real;
      return { x: generator.generate(size, condition, noise, this.real), condition };
    }
    const condition = this.#condition("prompt", () => noise.integers(size, 0, data.classes));
    return { x: generator.generate(size, condition, noise), condition };
  }

  #readStored(): Images {
    const { data, size, batch, rows } = this.#source;
    const x = state(STORED.x, [batch, ...data.sample]);
    const label = () => state(STORED.label, [batch], "i32");
    if (!rows) return { x, condition: this.#condition("prompt", label) };
    return {
      x: rowsOf(x, rows, [size, ...data.sample]),
      condition: this.#condition("prompt", () => toInt(rowsOf(toFloat(label()), rows, [size]))),
    };
  }

  /**
   * Updates that store the generated images for the critic's turn.
   * @param keep scalar, 0 for the first part of a batch and 1 for the others; absent without parts
   */
  storing(keep?: Tensor): [Tensor, Tensor][] {
    const { data, size, batch, rows } = this.#source;
    const { x, condition } = this.generated;
    const whole = state(STORED.x, [batch, ...data.sample]);
    const labels = state(STORED.label, [batch], "i32");
    if (!rows || !keep)
      return [
        [whole, x],
        ...(condition.label ? [[labels, condition.label] as [Tensor, Tensor]] : []),
      ];
    const laidOver = (old: Tensor, part: Tensor) => {
      const spread = addRows(reshape(part, [size, sizeOf(part.shape) / size]), rows, {
        rows: batch,
      });
      return add(mul(old, keep), reshape(spread, old.shape));
    };
    const updates: [Tensor, Tensor][] = [[whole, laidOver(whole, x)]];
    if (condition.label)
      updates.push([labels, toInt(laidOver(toFloat(labels), toFloat(condition.label)))]);
    return updates;
  }
}

/** Rows of a tensor [batch, …] by their places → shape, [rows, …]. */
function rowsOf(x: Tensor, rows: Tensor, shape: Shape): Tensor {
  const width = sizeOf(shape) / shape[0];
  return reshape(takeRows(reshape(x, [sizeOf(x.shape) / width, width]), rows), shape);
}

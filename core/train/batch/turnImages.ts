import type { NoiseSource } from "../../diffusion/noiseSource.ts";
import type { HostArray, Memory } from "../../interfaces/backend.ts";
import type { Condition } from "../../interfaces/condition.ts";
import type { DataShape } from "../../interfaces/dataset.ts";
import type { Generator, GeneratorNetwork } from "../../interfaces/generator.ts";
import type { Images } from "../../interfaces/loss.ts";
import { add, addRows, constant, input, mul, reshape, state, takeRows, toFloat, toInt, where } from "../../ops/mod.ts";
import { type Shape, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { conditionInputs, type Described } from "./conditionInputs.ts";

/** Input with a batch of the dataset. */
export const REAL = "real.x";

/** The state that hands a part of the generated images to a later turn of the step, for the whole batch. */
const keptName = (part: string): string => `generated.${part}`;

/** The entries that generated images draw; all others they take from the data. */
const drawnEntries = ({ condition }: DataShape) =>
  Object.entries(condition).filter(([, { classes }]) => classes !== undefined);

/** Numbers of its own that a generator draws for every image, by their entries. */
export type DrawnNumbers = Generator["draws"];

/** Those that differ from image to image. */
const varying = (numbers: DrawnNumbers = {}): string[] =>
  Object.entries(numbers).flatMap(([name, { least, most }]) => (least < most ? [name] : []));

/** The states with the images that turns of a step keep for each other. */
export function keptStates(
  data: DataShape,
  batch: number,
  numbers?: DrawnNumbers,
): { name: string; length: number; dtype: "f32" | "i32" }[] {
  const entry = (dtype: "f32" | "i32") => (name: string) => ({ name: keptName(name), length: batch, dtype });
  return [
    { name: keptName("x"), length: batch * sizeOf(data.sample), dtype: "f32" },
    ...drawnEntries(data).map(([name]) => entry("i32")(name)),
    ...varying(numbers).map(entry("f32")),
  ];
}

/** Makes room for them. */
export function allocateKept(memory: Memory, data: DataShape, batch: number, numbers?: DrawnNumbers): void {
  for (const { name, length, dtype } of keptStates(data, batch, numbers)) memory.allocate(name, length, dtype);
}

/** Everything that decides the images of a turn. */
export interface ImageSource {
  readonly data: DataShape;
  /** Images of this part, and of the whole batch. */
  readonly size: number;
  readonly batch: number;
  /** Places of the part in the batch, where the gradient is gathered in parts. */
  readonly rows?: Tensor;
  readonly noise: NoiseSource;
  /** Whether generated images are those that an earlier turn of the step kept. */
  readonly kept: boolean;
  /** Those of the role that makes the images. */
  readonly numbers?: DrawnNumbers;
}

/** Real and generated images, made when a loss first asks for them. */
export class TurnImages {
  /** Whose batches of the dataset the traced losses read. */
  readonly reads: Set<Described> = new Set();
  #real: Images | undefined;
  #generated: Images | undefined;
  readonly #source: ImageSource;
  readonly #maker: () => GeneratorNetwork;

  constructor(source: ImageSource, maker: () => GeneratorNetwork) {
    this.#source = source;
    this.#maker = maker;
  }
  get real(): Images {
    const { data, size } = this.#source;
    this.reads.add("real");
    return (this.#real ??= {
      x: input(REAL, [size, ...data.sample]),
      condition: conditionInputs(data.condition, "real", size),
    });
  }
  get generated(): Images {
    return (this.#generated ??= this.#source.kept ? this.#readKept() : this.#make());
  }
  /** Entries that are not drawn are fed, not kept: the turns of a step are given the same. */
  #condition(draw: (entry: string, classes: number) => Tensor): Condition {
    const { data, size } = this.#source;
    return conditionInputs(data.condition, "prompt", size, (name, { classes }) => {
      if (classes !== undefined) return draw(name, classes);
      this.reads.add("prompt");
      return undefined;
    });
  }

  /** The generator's numbers [size]; `draw` gives those that vary. */
  #numbers(draw: (entry: string, least: number, most: number) => Tensor): Condition {
    const { size, numbers = {} } = this.#source;
    const entries = Object.entries(numbers).map(([name, { least, most }]) => {
      const value = least < most ? draw(name, least, most) : constant(least, "f32", [size]);
      return [name, value] as const;
    });
    return Object.fromEntries(entries);
  }

  #make(): Images {
    const { size, noise } = this.#source;
    const maker = this.#maker();
    const numbers = () => this.#numbers((_, least, most) => add(mul(noise.uniform([size]), most - least), least));
    if (maker.startsFromReal) {
      const condition = { ...this.real.condition, ...numbers() };
      return { x: maker.generate(size, condition, noise, this.real), condition };
    }
    const described = this.#condition((_, classes) => noise.integers(size, 0, classes));
    const condition = { ...described, ...numbers() };
    return { x: maker.generate(size, condition, noise), condition };
  }

  #readKept(): Images {
    const { data, size, batch, rows } = this.#source;
    const x = state(keptName("x"), [batch, ...data.sample]);
    const described = this.#condition((name) => {
      const whole = state(keptName(name), [batch], "i32");
      return rows ? toInt(rowsOf(toFloat(whole), rows, [size])) : whole;
    });
    const numbers = this.#numbers((name) => {
      const whole = state(keptName(name), [batch]);
      return rows ? rowsOf(whole, rows, [size]) : whole;
    });
    const condition = { ...described, ...numbers };
    return { x: rows ? rowsOf(x, rows, [size, ...data.sample]) : x, condition };
  }

  /**
   * Updates that keep the generated images for later turns of the step.
   * @param keep scalar, 0 for the first part of a batch and 1 for the others; absent without parts
   * @param running scalar, 0 where what is kept must stay as it is; absent where it never must
   */
  keeping({ keep, running }: { readonly keep?: Tensor; readonly running?: Tensor } = {}): [Tensor, Tensor][] {
    const { data, batch, numbers } = this.#source;
    const { x, condition } = this.generated;
    const next = (old: Tensor, part: Tensor) => {
      const whole = this.#laidOver(old, part, keep);
      return running ? where(running, whole, old) : whole;
    };
    const whole = state(keptName("x"), [batch, ...data.sample]);
    const updates: [Tensor, Tensor][] = [[whole, next(whole, x)]];
    for (const [name] of drawnEntries(data)) {
      const old = state(keptName(name), [batch], "i32");
      const entry = condition[name]!;
      updates.push([old, keep || running ? toInt(next(toFloat(old), toFloat(entry))) : entry]);
    }
    for (const name of varying(numbers)) {
      const old = state(keptName(name), [batch]);
      updates.push([old, next(old, condition[name]!)]);
    }
    return updates;
  }

  /** The rows of a part in their places, and the others as they were. A NaN of an earlier batch does not stay. */
  #laidOver(old: Tensor, part: Tensor, keep: Tensor | undefined): Tensor {
    const { size, batch, rows } = this.#source;
    if (!rows || !keep) return part;
    const flat = reshape(part, [size, sizeOf(part.shape) / size]);
    const spread = addRows(flat, rows, { rows: batch });
    return add(where(keep, old, 0), reshape(spread, old.shape));
  }
}

/** Rows of a tensor [batch, …] by their places → shape, [rows, …]. */
function rowsOf(x: Tensor, rows: Tensor, shape: Shape): Tensor {
  const width = sizeOf(shape) / shape[0];
  return reshape(takeRows(reshape(x, [sizeOf(x.shape) / width, width]), rows), shape);
}

/** What a program is fed, by the names of its inputs. */
export type Inputs = Record<string, HostArray>;

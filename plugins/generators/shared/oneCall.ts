import type { DataShape, Denoiser, GeneratorNetwork, NoiseProcess } from "../../../core/interfaces/mod.ts";
import { constant, mul } from "../../../core/ops/mod.ts";

/** Makes samples with one call of a denoiser, from noise as the process has it at a level: D(start(σ)·ε; σ). */
export const oneCall =
  (
    { denoise }: Denoiser,
    level: number,
    { sample }: Pick<DataShape, "sample">,
    process: Pick<NoiseProcess, "start">,
  ): GeneratorNetwork["generate"] =>
  (count, condition, noise) =>
    denoise(mul(noise.normal([count, ...sample]), process.start(level)), constant(level, "f32", [count]), condition);

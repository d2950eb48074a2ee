import type { Resolver } from "../di/mod.ts";
import { placeholders } from "../diffusion/mod.ts";
import {
  type Condition,
  type CriticNetwork,
  DATA_SHAPE,
  type DataShape,
  type GeneratorNetwork,
  PROCESS,
  type Role,
} from "../interfaces/mod.ts";
import { linear, normal, type Scope, sinusoid } from "../nn/mod.ts";
import { concat, constant, mul, reshape, silu, takeRows } from "../ops/mod.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Everything that a loss can ask of a role. */
export type SmallNetwork = GeneratorNetwork & Required<Omit<CriticNetwork, "calls" | "startsOnly">>;

const WIDTH = 6;

/**
 * A role over a layer of six units, smooth in its parameters and in its input, for the noise process of a container: it
 * denoises, generates in one step, has features and judges them. It reads every entry of the condition.
 */
export function smallRole(container: Resolver): Role<SmallNetwork> & {
  readonly sigmas: readonly number[];
  readonly startScale: number;
} {
  const shape = container.get(DATA_SHAPE);
  const process = container.get(PROCESS);
  const highest = process.sigmas?.at(-1) ?? 10;
  const startScale = process.start(highest);
  const bind = (scope: Scope): SmallNetwork => {
    const hidden = (x: Tensor, cNoise: Tensor, condition: Condition) =>
      silu(linear(scope.at("in"), concat([...inputsOf(shape, scope, x, cNoise, condition)], 1), WIDTH));
    const { denoise } = process.denoiser((x, cNoise, condition) =>
      reshape(linear(scope.at("out"), hidden(x, cNoise, condition), sizeOf(shape.sample)), x.shape),
    );
    const features: SmallNetwork["features"] = (x, sigma, condition) => process.features(hidden, x, sigma, condition);
    const judge = (seen: Tensor) => linear(scope.at("head"), seen, 1);
    return {
      denoise,
      features,
      judge,
      discriminate: (x, sigma, condition) => judge(features(x, sigma, condition)),
      generate: (count, condition, noise) => {
        const start = mul(noise.normal([count, ...shape.sample]), startScale);
        return denoise(start, constant(highest, "f32", [count]), condition);
      },
    };
  };
  return {
    sigmas: [highest],
    startScale,
    bind,
    declare(scope) {
      const { x, sigma, condition } = placeholders(shape);
      const network = bind(scope);
      network.denoise(x, sigma, condition);
      network.discriminate(x, sigma, condition);
    },
  };
}

/** What the layer sees, each [B, …]: the sample, its level, and the entries of its condition; zeros for those left out. */
function* inputsOf(
  { sample, condition: entries }: DataShape,
  scope: Scope,
  x: Tensor,
  cNoise: Tensor,
  condition: Condition,
): Generator<Tensor> {
  const B = x.shape[0];
  yield reshape(x, [B, sizeOf(sample)]);
  yield sinusoid(cNoise, [0.5, 0.01]);
  for (const [name, { shape, dtype, classes = 2 }] of Object.entries(entries)) {
    const entry = condition[name];
    const width = dtype === "i32" ? 2 : sizeOf(shape);
    if (!entry) yield constant(0, "f32", [B, width]);
    else if (dtype === "f32") yield reshape(entry, [B, width]);
    else yield takeRows(scope.at(name).parameter("weight", [classes, 2], normal(1)), entry);
  }
}

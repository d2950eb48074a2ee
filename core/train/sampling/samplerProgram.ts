import { failure } from "../../errors.ts";
import { ScalarInputs } from "../../graph/scalarInputs.ts";
import type { Sampler, SamplerRule } from "../../interfaces/sampler.ts";
import { broadcastTo, input, reshape, state } from "../../ops/mod.ts";
import { attempt, pluginFault, whatIs } from "../../plugin/made.ts";
import type { Shape } from "../../tensor/shape.ts";
import { isTensor, type Tensor } from "../../tensor/tensor.ts";

/** Where the samples of a sampler and what it carries from step to step live. */
export interface SamplerStates {
  /** Name of every state, each as large as the samples. */
  readonly names: readonly string[];
  /** [B, …] */
  readonly x: Tensor;
  readonly carried: Readonly<Record<string, Tensor>>;
}

/** States below `name` for samples of `shape` [B, …]. */
export function samplerStates(sampler: Sampler, name: string, shape: Shape): SamplerStates {
  const carried = (sampler.carried ?? []).map((each) => [each, state(`${name}.${each}`, shape)] as const);
  return {
    names: [name, ...carried.map(([each]) => `${name}.${each}`)],
    x: state(name, shape),
    carried: Object.fromEntries(carried),
  };
}

/** The rule of a step as updates of the sampler's states. */
export interface TracedRule {
  readonly updates: readonly (readonly [Tensor, Tensor])[];
  /** The step's numbers. */
  readonly scalars: ScalarInputs;
  /** Network calls. */
  readonly nfe: number;
  /** Inputs that take fresh noise, in the order the rule asks for it. */
  readonly noises: readonly string[];
}

/**
 * Traces the rule of a step, counting what it costs.
 * @param denoise D(x; σ), x [B, …], σ [B], and what the step tells the model besides, each [B]
 * @param calls what one call of it counts
 * @throws E_CONFIG when the rule hands on what the sampler does not declare
 */
export function traceRule(
  rule: SamplerRule,
  { x, carried }: SamplerStates,
  denoise: (x: Tensor, sigma: Tensor, told: Readonly<Record<string, Tensor>>) => Tensor,
  calls = 1,
): TracedRule {
  const scalars = new ScalarInputs();
  const noises: string[] = [];
  let nfe = 0;
  const perSample = (value: Tensor) => broadcastTo(reshape(value, [1]), { shape: [x.shape[0]] });
  const trace = () =>
    rule(
      x,
      scalars.named,
      {
        denoise(noisy, sigma, told = {}) {
          nfe += calls;
          const entries = Object.entries(told).map(([name, value]) => [name, perSample(value)]);
          return denoise(noisy, perSample(sigma), Object.fromEntries(entries));
        },
        noise() {
          noises.push(`noise.${noises.length}`);
          return input(noises[noises.length - 1], x.shape);
        },
      },
      carried,
    );
  const result = attempt("the sampler", rule.name, trace);
  const next = isTensor(result) ? { x: result, carried: {} } : result;
  if (!isTensor(next?.x))
    throw pluginFault(
      "the sampler",
      `its rule "${rule.name}" returns ${whatIs(result)}`,
      "should be a tensor or { x, carried }",
    );
  const updates: (readonly [Tensor, Tensor])[] = [[x, next.x]];
  for (const [name, value] of Object.entries(next.carried ?? {})) {
    if (!(name in carried))
      throw failure(
        "E_CONFIG",
        `Cannot sample: the rule "${rule.name}" hands on "${name}", should be one of ${Object.keys(carried).join(", ") || "none"}`,
      );
    updates.push([carried[name], value]);
  }
  return { updates, scalars, nfe, noises };
}

import { checkGuidable, flowTime, perSample, withoutCondition } from "../../core/diffusion/mod.ts";
import { failure } from "../../core/errors.ts";
import { DATA_SHAPE, DROPOUT, GENERATOR, type Loss, NETWORK, PROCESS } from "../../core/interfaces/mod.ts";
import { add, clamp, greater, less, maximum, mean, minimum, mul, sigmoid, sub, where } from "../../core/ops/mod.ts";
import { choice, definePlugin, number, optional } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { guidedAt } from "./shared/guidance.ts";
import {
  alongPath,
  type FlowPoint,
  type MeanVelocity,
  meanFlowLosses,
  mixedVelocity,
  plainVelocity,
  velocityOf,
} from "./shared/meanFlow.ts";

/**
 * MeanFlow: holds the generator to the identity of a mean velocity, u = v − (t − r)·du/dt (shared/meanFlow.ts).
 *   t, r logit-normal up to the generator's highest level, sorted, r = t for a share of the samples;   x_t = (1 − t)·x + t·ε
 *   v = ε − x, or the velocity of the teacher; guided by `guidanceScale` w and `mixture` k
 * x [B, …] real → scalar. Gradient to the generator only. Geng et al. 2025, arXiv:2505.13447, Algorithm 1, with the settings for
 * CIFAR-10 in NVlabs/FastGen.
 */
export const meanFlowLoss = definePlugin({
  name: "mean-flow",
  kind: "loss",
  about: "Holds the generator to the identity that the mean velocity of a flow obeys",
  options: {
    weight: number({ default: 1, min: 0, about: "factor in the generator's total; 0 is off" }),
    velocity: choice(["data", "teacher"], { default: "data", about: "whose velocity it is the mean of" }),
    guidanceScale: optional(number({ min: 0 }), { about: "guidance w of the velocity; none is off" }),
    mixture: number({ default: 0, min: 0, about: "share k of the generator's own velocity; with data alone" }),
    guidedFrom: number({ default: 0, min: 0, max: 1, about: "lowest time with guidance; with data alone" }),
    guidedTo: number({ default: 1, min: 0, max: 1, about: "highest time with guidance; with data alone" }),
    conditionDropout: optional(number({ min: 0, max: 1 }), {
      about: "share of samples without condition, if guided by data; 0.1 where it is not given",
    }),
    timeMean: number({ default: -0.6, about: "mean of ln(t/(1 − t))" }),
    timeStd: number({ default: 1.6, min: 0, about: "standard deviation of ln(t/(1 − t))" }),
    endMean: number({ default: -4, about: "mean of ln(r/(1 − r))" }),
    endStd: number({ default: 1.6, min: 0, about: "standard deviation of ln(r/(1 − r))" }),
    apart: number({ default: 0.75, min: 0, max: 1, about: "share of the samples with r below t" }),
    derivative: choice(["jvp", "differences"], { default: "jvp", about: "du/dt exactly, or from two more calls" }),
    step: number({ default: 1e-3, above: 0, max: 0.1, about: "time between the two calls; differences only" }),
    loss: choice(["l2", "opt-grad"], { default: "l2", about: "weighted square, or a step along the weighted tangent" }),
    power: number({ default: 0.75, min: 0, about: "p of the weight (e + c)^−p" }),
    constant: number({ default: 1e-3, above: 0, about: "c of the weight" }),
    warmUp: number({ default: 0, min: 0, integer: true, about: "steps in which du/dt comes in" }),
  },
  create(options, container): Loss {
    const [shape, process] = [container.get(DATA_SHAPE), container.get(PROCESS)];
    const latest = flowTime(container.get(GENERATOR).sigmas[0]);
    const { guidanceScale, mixture, conditionDropout = 0.1, apart, warmUp, power, constant: c } = options;
    const fromData = options.velocity === "data";
    for (const [name, { value, off }] of Object.entries({
      mixture: { value: mixture, off: 0 },
      guidedFrom: { value: options.guidedFrom, off: 0 },
      guidedTo: { value: options.guidedTo, off: 1 },
      conditionDropout: { value: options.conditionDropout ?? 0, off: 0 },
    }))
      if (!fromData && value !== off)
        throw failure(
          "E_OPTION",
          `Cannot configure mean-flow: ${name} is given with velocity=teacher, should be with data`,
          { fix: `set losses.mean-flow.velocity=data, or losses.mean-flow.${name}=${off}` },
        );
    const network = container.get(NETWORK);
    const learnsNone = fromData && conditionDropout > 0;
    if (guidanceScale !== undefined || mixture > 0)
      checkGuidable(
        "Cannot use mean-flow: it is guided",
        shape,
        // What learns from data with some conditions dropped gets to know what it is to have none.
        learnsNone ? { ...network, knowsNoClass: true } : network,
        "losses.mean-flow.guidanceScale=none and mixture=0",
      );
    return {
      name: "mean-flow",
      role: "generator",
      weight: options.weight,
      compute({ real: { x, condition }, generator, role, noise }) {
        const [B] = x.shape;
        const spread = (values: Tensor) => perSample(values, x.shape.length);
        const drawn = (mean: number, deviation: number) => {
          const within = sigmoid(add(mul(noise.normal([B]), deviation), mean));
          return add(mul(within, latest - EARLIEST), EARLIEST);
        };
        const [a, b] = [drawn(options.timeMean, options.timeStd), drawn(options.endMean, options.endStd)];
        const time = maximum(a, b);
        const end = where(less(noise.uniform([B]), apart), minimum(a, b), time);
        const eps = noise.normalLike(x);
        const xt = add(mul(spread(sub(1, time)), x), mul(spread(time), eps));
        const point: FlowPoint = { xt, time, end, condition: { ...condition, [DROPOUT]: noise } };
        const without = withoutCondition(condition, shape.condition);
        let u = velocityOf(generator, process);
        let v = sub(eps, x);
        if (!fromData) {
          v = plainVelocity(guidedAt(role("teacher"), guidanceScale, shape.condition), xt, time, condition);
        } else if (guidanceScale !== undefined || mixture > 0) {
          const inside = mul(sub(1, less(time, options.guidedFrom)), sub(1, greater(time, options.guidedTo)));
          const scale = where(inside, guidanceScale ?? 1, 1);
          const mixed = mixedVelocity(v, u, { ...point, condition }, without, {
            scale,
            conditional: mul(inside, mixture),
          });
          const dropped = spread(less(noise.uniform([B]), conditionDropout));
          v = where(dropped, v, mixed);
          u = someWithout(u, without, dropped);
        }
        const { derivative: by, step } = options;
        const said = alongPath(u, point, v, { derivative: by === "jvp" ? { by } : { by, step }, latest });
        const { losses } = meanFlowLosses(said, v, point, {
          loss: options.loss,
          weight: { kind: "power", power, constant: c },
          warmth: warmUp > 0 ? clamp(mul(noise.step, 1 / warmUp), { max: 1 }) : 1,
          latest,
        });
        return mean(losses);
      },
    };
  },
});

/** The earliest time that is trained, that of the level 0.002. */
const EARLIEST = flowTime(0.002);

/** The velocity without a condition for the samples that have lost theirs. A class cannot be left out for some of a batch. */
const someWithout =
  (u: MeanVelocity, without: FlowPoint["condition"], dropped: Tensor): MeanVelocity =>
  (xt, time, end, condition) =>
    where(dropped, u(xt, time, end, without), u(xt, time, end, condition));

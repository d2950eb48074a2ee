import { failure } from "../../core/errors.ts";
import type { Loss } from "../../core/interfaces/mod.ts";
import {
  add,
  div,
  equal,
  exp,
  iota,
  log,
  matmul,
  maximum,
  mul,
  neg,
  relu,
  reshape,
  square,
  stopGradient,
  sub,
  sum,
  where,
} from "../../core/ops/mod.ts";
import { boolean, definePlugin, extractedOptions, extractorNeeded, number } from "../../core/plugin/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { extractedFeatures } from "./shared/extracted.ts";

/**
 * Keeps samples apart: the quadratic entropy of their features.
 *   C(f) = ln mean_{i≠j} exp(−‖f_i − f_j‖²/(2 h²)),  h = width · the root mean square distance of two real samples of the batch
 *   L = max(0, C(generated) − C(real)), or C(generated) without `bound`
 * C is 0 where all samples are one and falls as they spread; −C estimates Rényi's entropy of order 2. Bounded, it moves nothing while
 * samples are as far apart as real ones. Pairs are those of a part of the batch, which needs two samples. x [B, …] from the generator → scalar. Gradient to the generator only. Features are an extractor's,
 * refused without its weights, or the samples themselves. Reports both C.
 */
export const diversityLoss = definePlugin({
  name: "diversity",
  kind: "loss",
  about: "Keeps generated samples as far apart as real ones",
  options: {
    weight: number({ default: 0.1, min: 0, about: "factor in the generator's total; 0 is off" }),
    ...extractedOptions,
    width: number({
      default: 0.2,
      above: 0,
      about: "how near two samples crowd, in units of the distance of two real ones",
    }),
    bound: boolean({ default: true, about: "whether it is content with as much as real samples have" }),
  },
  needs: extractorNeeded,
  create({ weight, width, bound, extractor, tap }, container): Loss {
    const extracted = extractor === "" ? undefined : extractedFeatures("diversity", { extractor, tap }, container);
    const flat = (x: Tensor) => reshape(extracted ? extracted.features(x) : x, [x.shape[0], -1]);
    return {
      name: "diversity",
      role: "generator",
      weight,
      ...(extracted && { frozen: extracted.frozen, load: extracted.load }),
      compute({ generated, real, report }) {
        const [count] = real.x.shape;
        if (count < 2)
          throw failure("E_CONFIG", "Cannot use diversity: a part of the batch has 1 sample, should have at least 2", {
            fix: "raise train.batch, or lower train.accumulate",
          });
        const seen = squaredDistances(stopGradient(flat(real.x)));
        // Real samples that are all the same one have no distance.
        const scale = maximum(div(mul(sum(seen), 2 * width ** 2), count * (count - 1)), 1e-30);
        const [crowd, usual] = [squaredDistances(flat(generated.x)), seen].map((each) => crowding(each, scale));
        report?.("generated", crowd);
        report?.("real", usual);
        return bound ? relu(sub(crowd, stopGradient(usual))) : crowd;
      },
    };
  },
});

/** ‖f_i − f_j‖² of rows [B, d], [B, B]; 0 for i = j. */
function squaredDistances(f: Tensor): Tensor {
  const own = sum(square(f), { axes: [1], keepDims: true });
  const apart = maximum(sub(add(own, reshape(own, [1, -1])), mul(matmul(f, f, { transB: true }), 2)), 0);
  return where(sameSample(f.shape[0]), 0, apart);
}

/** ln of the mean of exp(−d²/scale) over pairs of different samples. */
const crowding = (distances: Tensor, scale: Tensor): Tensor => {
  const [B] = distances.shape;
  const near = where(sameSample(B), 0, exp(neg(div(distances, scale))));
  return log(add(div(sum(near), B * (B - 1)), 1e-12));
};

const sameSample = (count: number): Tensor => equal(reshape(iota(count), [count, 1]), iota(count));

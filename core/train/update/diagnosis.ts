import { grad, type Program, program } from "../../graph/mod.ts";
import { ScalarInputs } from "../../graph/scalarInputs.ts";
import { imageGradientName } from "../../interfaces/balancer.ts";
import { add, clamp, div, mean, mul, sqrt, square, sub } from "../../ops/mod.ts";
import { gradientNorm } from "../../optim/mod.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Described } from "../batch/conditionInputs.ts";
import { lossScaleOf } from "./lossScale.ts";
import { type TurnDefinition, traceTurn } from "./turnContext.ts";
import { weightName } from "./turnProgram.ts";

/** A look inside an update, and what has to be fed to it. */
export interface DiagnosisProgram {
  readonly program: Program;
  readonly scalars: ScalarInputs;
  readonly reads: ReadonlySet<Described>;
  readonly outputs: readonly string[];
}

/**
 * A look inside an update, as a program of its own: same roles, images and draws, but it changes nothing.
 *   image-gradient NAME   ‖w ∂L/∂x‖ over the generated batch, for each loss of the maker: how hard it pulls at the images
 *   brightness, contrast  mean and standard deviation of min(max((x + 1)/2, 0), 1): steady in a healthy run (Yin et al. 2024,
 *                         DMD2, arXiv:2405.14867, section 4.2)
 *   and the numbers that losses report, such as the discriminator's outputs and the lag of the critic
 */
export function diagnosisProgram(definition: TurnDefinition): DiagnosisProgram {
  const { turn, players, maker } = definition;
  const { role } = turn;
  const scalars = new ScalarInputs();
  const { terms, images, reports } = traceTurn(definition);
  const lossScale = lossScaleOf(role, players[role].lossScaling)?.scale;
  const outputs: Record<string, Tensor> = Object.fromEntries(reports);
  for (const { loss, value } of terms) outputs[loss.name] = value;
  if (role === maker) {
    const { x } = images.generated;
    for (const { loss, value } of terms) {
      const weight = scalars.get(weightName(loss));
      const weighted = mul(value, weight);
      const norm = gradientNorm(grad(lossScale ? mul(weighted, lossScale) : weighted, [x]));
      outputs[imageGradientName(loss.name)] = lossScale ? div(norm, lossScale) : norm;
    }
    const level = clamp(mul(add(x, 1), 0.5), { min: 0, max: 1 });
    outputs.brightness = mean(level);
    outputs.contrast = sqrt(mean(square(sub(level, mean(level)))));
  }
  return {
    program: program({ name: `${role} diagnosis`, outputs }),
    scalars,
    reads: images.reads,
    outputs: Object.keys(outputs),
  };
}

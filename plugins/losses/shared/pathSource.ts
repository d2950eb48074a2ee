/** Where losses on pairs of noise and the teacher's sample have them from: a file, or the run's own teacher. */
import type { Resolver } from "../../../core/di/mod.ts";
import {
  type Condition,
  type Denoiser,
  GENERATOR,
  type Loss,
  type LossContext,
  SAMPLER,
} from "../../../core/interfaces/mod.ts";
import { mul } from "../../../core/ops/mod.ts";
import { text } from "../../../core/plugin/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { pairsOf, stateNear } from "./storedPairs.ts";
import { teacherPath } from "./teacherPath.ts";

export const pairsOption = text({
  default: "",
  about: "file of `onestep pairs`; without one every update draws new pairs with the teacher's sampler",
});

/** Noise, what the teacher makes of it, and states between the two. */
export interface DrawnPath {
  /** ε ~ N(0, I), [B, …]. */
  readonly z: Tensor;
  /** Where the generator begins, start·z, and the teacher's states at its other levels, [B, …] each. */
  readonly points: readonly Tensor[];
  /** The teacher's sample, [B, …]. */
  readonly y: Tensor;
  readonly condition: Condition;
}

/** Gives a batch of paths. */
export interface PathSource extends Pick<Loss, "own" | "load" | "checkTeacher"> {
  /**
   * @param teacher the denoiser that draws them, asked for only where one does
   * @param whose "teacher" for that of the run, whose pairs a file may hold; another's are always drawn
   */
  path(context: LossContext, teacher: () => Denoiser, whose?: string): DrawnPath;
}

/**
 * @param owner the loss, for what it refuses
 * @param file the option `pairs`
 * @param levels noise levels of the points, decreasing; the first is where the generator begins
 */
export function pathSource(owner: string, file: string, levels: readonly number[], container: Resolver): PathSource {
  const { startScale = levels[0] } = container.get(GENERATOR);
  const sampler = container.get(SAMPLER);
  const later = levels.slice(1);
  const drawn: PathSource["path"] = ({ generated: { x, condition }, noise }, teacher) => {
    const z = noise.normalLike(x);
    const { states, y } = teacherPath(owner, sampler, teacher(), z, condition);
    const known = states.map(({ sigma }) => sigma);
    const kept = later.map((level) => states[stateNear(owner, level, known, "the sampler")].x);
    return { z, y, condition, points: [mul(z, startScale), ...kept] };
  };
  if (file === "") return { path: drawn };
  const stored = pairsOf(owner, file, container, later);
  return {
    ...stored,
    path(context, teacher, whose = "teacher") {
      if (whose !== "teacher") return drawn(context, teacher);
      const { z, y, label, ...states } = context.own!;
      const kept = later.map((_, i) => states[`state${i}`]);
      return { z, y, points: [mul(z, startScale), ...kept], condition: label ? { label } : {} };
    },
  };
}

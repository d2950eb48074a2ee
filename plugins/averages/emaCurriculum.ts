import { failure } from "../../core/errors.ts";
import { type Average, LOSSES, TRAIN_LENGTH } from "../../core/interfaces/mod.ts";
import { adaptiveBeta } from "../../core/optim/mod.ts";
import { definePlugin, number, optional, text } from "../../core/plugin/mod.ts";

const bound = (about: string) => optional(number({ min: 1, integer: true }), { about: `${about}; the loss's` });

/**
 * The target of consistency training: it follows the faster the fewer levels there are.
 *   average ← β·average + (1 − β)·weights,   β = exp(first·ln β₀ / intervals at this update)
 * The intervals are those of the run's loss, whichever way they grow. Song et al. 2023, arXiv:2303.01469, appendix C.
 */
export const emaCurriculum = definePlugin({
  name: "ema-curriculum",
  kind: "average",
  about: "Average of a role's weights that slows down as levels grow in number, as in consistency training",
  options: {
    role: text({ default: "generator", about: "whose weights it averages" }),
    beta: number({ default: 0.95, above: 0, max: 1, about: "share of the old average kept at the first intervals" }),
    first: bound("intervals between levels at the start"),
    last: bound("intervals at the end"),
  },
  create: ({ role, beta, ...own }, container): Average => {
    const loss = container.all(LOSSES).find((each) => "intervals" in each) as Curriculum | undefined;
    for (const name of ["first", "last"] as const)
      if (loss && own[name] !== undefined && own[name] !== loss[name])
        throw failure(
          "E_OPTION",
          `Cannot configure ema-curriculum: ${name} is ${own[name]} and the loss has ${loss[name]}, both should be the same`,
          { fix: `leave ${name} out of the average, which then takes that of the loss` },
        );
    if (!loss && container.get(TRAIN_LENGTH).steps > 0)
      throw failure("E_CONFIG", "Cannot use ema-curriculum: no loss of the run has levels that grow in number", {
        fix: "add the loss consistency-training, or use the average ema-constant",
      });
    return { role, keep: (update) => (loss ? adaptiveBeta(beta, loss.first, loss.intervals(update)) : 1) };
  },
});

/** What a loss of growing levels tells of them. */
interface Curriculum {
  readonly first: number;
  readonly last: number;
  intervals(update: number): number;
}

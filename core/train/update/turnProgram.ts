import { type Program, program } from "../../graph/mod.ts";
import { ScalarInputs } from "../../graph/scalarInputs.ts";
import type { Loss } from "../../interfaces/loss.ts";
import { add, concat, div, mul, reshape, slice, state, where } from "../../ops/mod.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Described } from "../batch/conditionInputs.ts";
import { lossScaleOf } from "./lossScale.ts";
import { flatGradients, gathered, optimise } from "./optimise.ts";
import { type TurnDefinition, traceTurn } from "./turnContext.ts";

export type { Players, TurnDefinition } from "./turnContext.ts";

/** A traced update and what has to be fed to it. */
export interface TurnProgram {
  /** The whole update; where the batch is gathered in parts, one part of its gradient. */
  readonly program: Program;
  /** What follows the last part: the update by the gathered gradient, with the outputs. */
  readonly apply?: Program;
  /** Scalars of both programs. */
  readonly scalars: ScalarInputs;
  /** Whose batches of the dataset it reads: real images, or what generated ones are asked to show. */
  readonly reads: ReadonlySet<Described>;
  /** Names of its outputs: each term, the norm of the gradient before clipping, and a dynamic loss scale. */
  readonly outputs: readonly string[];
  /** States it needs besides those of its players, with their numbers of elements. */
  readonly states: Readonly<Record<string, number>>;
}

export const GRADIENT_NORM = "gradient-norm";
/** What the loss was multiplied by, where that changes from update to update. */
export const LOSS_SCALE = "loss-scale";
/** Scalar input: 0 for the first part of a batch, 1 for the others, which add to the sum so far. */
export const GATHERED_KEEP = "keep what is gathered";
export const weightName = (loss: Loss): string => `weight of ${loss.name}`;
const readings = (role: string) => `${role}.readings`;

/**
 * One update of a role as a program: its losses, their gradient, clipping, the optimiser and the running averages. In
 * parts it is two programs: one gathers g ← g + ∇L_part / parts, the other goes on from the sum.
 * @throws ShapeError when a loss is not a single number.
 */
export function turnProgram(definition: TurnDefinition): TurnProgram {
  const { turn, players, parts = 1, recompute } = definition;
  const { role } = turn;
  const scalars = new ScalarInputs();
  const { terms, images, parameters } = traceTurn(definition);
  const player = players[role];
  const total = terms.map(({ loss, value }) => mul(value, scalars.get(weightName(loss)))).reduce((a, b) => add(a, b));
  const scale = lossScaleOf(role, player.lossScaling)?.scale;
  const scaled = scale ? mul(total, scale) : total;
  const gradients = flatGradients(player, parameters.tensors, scaled, { recompute });
  const names = terms.map(({ loss }) => loss.name);
  const shown: Record<string, Tensor> = scale && player.lossScaling === "dynamic" ? { [LOSS_SCALE]: scale } : {};
  const { reads } = images;
  const known = { scalars, reads, outputs: [...names, GRADIENT_NORM, ...Object.keys(shown)] };
  const outputsOf = (values: readonly Tensor[], norm: Tensor) => ({
    ...Object.fromEntries(names.map((name, i) => [name, values[i]])),
    [GRADIENT_NORM]: norm,
    ...shown,
  });

  if (parts === 1) {
    const { updates, norm } = optimise(player, gradients, scalars);
    if (turn.keeps) updates.push(...images.keeping());
    const outputs = outputsOf(
      terms.map(({ value }) => value),
      norm,
    );
    return {
      ...known,
      states: {},
      program: program({ name: `${role} update`, outputs, updates }),
    };
  }

  const keep = scalars.get(GATHERED_KEEP);
  const sums = gradients.map((each) => gathered(player, each));
  const read = state(readings(role), [terms.length]);
  const gather = (old: Tensor, now: Tensor): [Tensor, Tensor] => [old, add(where(keep, old, 0), div(now, parts))];
  const values = concat(
    terms.map(({ value }) => reshape(value, [1])),
    0,
  );
  const updates = gradients.map((flat, i) => gather(sums[i].gradient, flat.gradient));
  updates.push(gather(read, values));
  if (turn.keeps) updates.push(...images.keeping(keep));
  const after = optimise(player, sums, scalars);
  const means = terms.map((_, i) => reshape(slice(read, { axis: 0, start: i, end: i + 1 }), []));
  return {
    ...known,
    program: program({ name: `${role} part`, updates }),
    apply: program({
      name: `${role} update`,
      outputs: outputsOf(means, after.norm),
      updates: after.updates,
    }),
    states: {
      ...Object.fromEntries(sums.map(({ gradient: { attrs, shape } }) => [attrs.name as string, shape[0]])),
      [readings(role)]: terms.length,
    },
  };
}

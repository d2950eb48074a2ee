import { finalStates, type GradOptions, type Program, program } from "../../graph/mod.ts";
import { ScalarInputs } from "../../graph/scalarInputs.ts";
import type { Loss } from "../../interfaces/loss.ts";
import { GRADIENT_NORM, LOSS_SCALE } from "../../interfaces/readings.ts";
import { add, concat, div, mul, reshape, slice, state, where } from "../../ops/mod.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Described } from "../batch/conditionInputs.ts";
import type { GatheredState } from "../ranks/gradientSum.ts";
import { lossScaleOf } from "./lossScale.ts";
import { type FlatGradient, flatGradients, gathered, optimise } from "./optimise.ts";
import { placed } from "./places.ts";
import { type TracedTurn, type TurnDefinition, traceTurn } from "./turnContext.ts";
import { HALTED, runningOf, verdictOf } from "./verdict.ts";

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
  /**
   * Names of its outputs: each term, the norm of the gradient before clipping, and a dynamic loss scale. Besides them it has
   * `VERDICT`.
   */
  readonly outputs: readonly string[];
  /** Names of the stage's numbers that its losses read. */
  readonly asked: ReadonlySet<string>;
  /** States it needs besides those of its players, with their numbers of elements. */
  readonly states: Readonly<Record<string, number>>;
  /** Those among them in which parts of a batch are gathered, in the order in which `program` is done with them; readings last. */
  readonly gathers: readonly GatheredState[];
}

/** Output with the bits of the update's verdict. */
export const VERDICT = "verdict";
/** Scalar input: 0 for the first part of a batch, 1 for the others, which add to the sum so far. */
export const GATHERED_KEEP = "keep what is gathered";
/** The same for the images that a turn keeps. */
export const IMAGES_KEEP = "keep images";
export const weightName = (loss: Loss): string => `weight of ${loss.name}`;
const readings = (role: string) => `${role}.readings`;

/** An update up to its gradient. */
export interface TracedUpdate extends TracedTurn {
  /** What the loss is multiplied by before it is differentiated, where it is. */
  readonly scale?: Tensor;
  /** Of the weighted sum of the terms, or of one part of it, times `scale`. */
  readonly gradients: readonly FlatGradient[];
}

/**
 * Traces a turn's losses and their gradient.
 * @throws ShapeError when a loss is not a single number.
 */
export function traceUpdate(
  definition: TurnDefinition,
  scalars: ScalarInputs,
  derived?: GradOptions["derived"],
): TracedUpdate {
  const { turn, players, recompute } = definition;
  const player = players[turn.role];
  const traced = traceTurn(definition);
  const scale = lossScaleOf(turn.role, player.lossScaling)?.scale;
  const scaled = placed("the weighted sum of the losses", () => {
    const weighted = traced.terms.map(({ loss, value }) => mul(value, scalars.get(weightName(loss))));
    const total = weighted.reduce((a, b) => add(a, b));
    return scale ? mul(total, scale) : total;
  });
  const gradients = flatGradients(player, traced.parameters.tensors, scaled, { recompute, derived });
  return { ...traced, scale, gradients };
}

/**
 * One update of a role as a program: its losses, their gradient, clipping, the optimiser and the running averages. In
 * parts it is two programs: one gathers g ← g + ∇L_part / parts, the other goes on from the sum.
 * @throws ShapeError when a loss is not a single number.
 */
export function turnProgram(definition: TurnDefinition): TurnProgram {
  const { turn, players, parts = 1, nonFinite = "stop" } = definition;
  const { role } = turn;
  const player = players[role];
  const scalars = new ScalarInputs();
  const { terms, images, asked, scale, gradients } = traceUpdate(definition, scalars);
  const names = terms.map(({ loss }) => loss.name);
  const shown: Record<string, Tensor> = scale && player.lossScaling === "dynamic" ? { [LOSS_SCALE]: scale } : {};
  const { reads } = images;
  const known = { scalars, reads, asked, outputs: [...names, GRADIENT_NORM, ...Object.keys(shown)] };
  const updated = (gradients: readonly FlatGradient[], values: readonly Tensor[]) => {
    const weighed = terms.map(({ loss }, i) => ({ value: values[i], weight: scalars.get(weightName(loss)) }));
    const { updates, norm, verdict } = optimise(player, gradients, scalars, (norm, dynamicScale) =>
      verdictOf({ terms: weighed, norm, dynamicScale }, nonFinite),
    );
    const named = Object.fromEntries(names.map((name, i) => [name, values[i]]));
    return { updates, outputs: { ...named, [GRADIENT_NORM]: norm, ...shown, [VERDICT]: verdict.bits } };
  };

  const running = runningOf(nonFinite);
  const halting: Record<string, number> = running ? { [HALTED]: 1 } : {};
  if (parts === 1) {
    const { updates, outputs } = updated(
      gradients,
      terms.map(({ value }) => value),
    );
    if (turn.keeps) updates.push(...images.keeping({ running }));
    return {
      ...known,
      states: halting,
      gathers: [],
      program: program({ name: `${role} update`, outputs, updates }),
    };
  }

  const keep = scalars.get(GATHERED_KEEP);
  const sums = gradients.map((each) => gathered(player, each, definition.bucket));
  // The last parameters are those whose gradients are computed first.
  const stretches = sums.flatMap((each) => each.stretches).reverse();
  const read = state(readings(role), [terms.length]);
  const gather = (old: Tensor, now: Tensor): [Tensor, Tensor] => [old, add(where(keep, old, 0), div(now, parts))];
  const values = concat(
    terms.map(({ value }) => reshape(value, [1])),
    0,
  );
  const updates = stretches.map(({ state, part }) => gather(state, part));
  updates.push(gather(read, values));
  if (turn.keeps) updates.push(...images.keeping({ keep: scalars.get(IMAGES_KEEP), running }));
  const means = terms.map((_, i) => reshape(slice(read, { axis: 0, start: i, end: i + 1 }), []));
  const part = program({ name: `${role} part`, updates });
  const sizes = new Map(stretches.map(({ state: { attrs, shape } }) => [attrs.name as string, shape[0]]));
  const inOrder = finalStates(part.plan).flatMap(({ name }) =>
    sizes.has(name) ? [{ name, size: sizes.get(name)! }] : [],
  );
  const gathers = [...inOrder, { name: readings(role), size: terms.length }];
  return {
    ...known,
    program: part,
    apply: program({
      name: `${role} update`,
      ...updated(
        sums.map((each) => each.flat),
        means,
      ),
    }),
    states: { ...halting, ...Object.fromEntries(gathers.map(({ name, size }) => [name, size])) },
    gathers,
  };
}

import { failure } from "../../errors.ts";
import { type GradOptions, grad } from "../../graph/mod.ts";
import type { ScalarInputs } from "../../graph/scalarInputs.ts";
import { arenaName, isFrozen } from "../../nn/parameters.ts";
import { mul, pack, state, view, where } from "../../ops/mod.ts";
import { clip, ema, isFinitePositive } from "../../optim/mod.ts";
import { attempt, pluginFault, whatIs } from "../../plugin/made.ts";
import { isTensor, type Tensor } from "../../tensor/tensor.ts";
import { lossScaleOf } from "./lossScale.ts";
import type { Player } from "./player.ts";
import type { Verdict } from "./verdict.ts";

/** Gradient of one flat tensor of a role. */
export interface FlatGradient {
  readonly arena: number;
  /** Elements of the flat tensor. */
  readonly size: number;
  /** [size] */
  readonly gradient: Tensor;
  /** The same by parameter: its name, its place in the flat tensor, its gradient. */
  readonly parameters: readonly ParameterGradient[];
}
interface ParameterGradient {
  readonly name: string;
  readonly offset: number;
  readonly gradient: Tensor;
}

/** A stretch of a flat gradient in a state of its own. */
export interface GatheredStretch {
  readonly state: Tensor;
  /** The same of a part of the batch. */
  readonly part: Tensor;
}

/** Where a flat gradient is gathered: in one state, or in stretches of `bucket` elements or a parameter. */
export function gathered(
  player: Player<unknown>,
  { arena, size, gradient: whole, parameters }: FlatGradient,
  bucket = Number.POSITIVE_INFINITY,
): { readonly flat: FlatGradient; readonly stretches: readonly GatheredStretch[] } {
  const name = arenaName(`${player.name}.gradient`, arena);
  const sorted = [...parameters].sort((a, b) => a.offset - b.offset);
  const begins = [0];
  for (const { offset } of sorted) if (offset - begins[begins.length - 1] >= bucket) begins.push(offset);
  const stretches = begins.map((begin, i) => {
    const length = (begins[i + 1] ?? size) - begin;
    const own = sorted.filter(({ offset }) => offset >= begin && offset < begin + length);
    const moved = own.map((each) => ({ ...each, offset: each.offset - begin }));
    const only = begins.length === 1;
    return {
      state: state(only ? name : `${name}.${i}`, [length]),
      part: only ? whole : flat(moved, length),
    };
  });
  const states = stretches.map((each) => each.state);
  const gradient = states.length === 1 ? states[0] : pack(states, begins, size);
  const views = parameters.map(({ name, offset, gradient: { shape } }) => ({
    name,
    offset,
    gradient: view(gradient, { offset, shape }),
  }));
  return { flat: { arena, size, gradient, parameters: views }, stretches };
}

/** The gradient of a loss for every flat tensor of a player that learns. `parameters` in the order of its layout. */
export function flatGradients(
  { layout }: Player<unknown>,
  parameters: readonly Tensor[],
  loss: Tensor,
  options?: GradOptions,
): FlatGradient[] {
  const learns = layout.entries.map(({ arena }) => !isFrozen(layout, arena));
  const found = grad(
    loss,
    parameters.filter((_, i) => learns[i]),
    undefined,
    options,
  );
  let next = 0;
  const gradients = layout.entries.map((entry, i) => ({
    ...entry,
    gradient: learns[i] ? found[next++] : undefined,
  }));
  return layout.arenas.flatMap((size, arena) => {
    const own = gradients
      .filter((entry) => entry.arena === arena && entry.gradient)
      .map(({ name, offset, gradient }) => ({ name, offset, gradient: gradient! }));
    return own.length > 0 ? [{ arena, size, gradient: flat(own, size), parameters: own }] : [];
  });
}

const flat = (parameters: readonly ParameterGradient[], size: number): Tensor =>
  pack(
    parameters.map(({ gradient }) => gradient),
    parameters.map(({ offset }) => offset),
    size,
  );

/** The gradients that an update follows. */
interface Clipped {
  readonly gradients: readonly Tensor[];
  /** Scalar, not 0 where the update is carried out. */
  readonly applies: Tensor;
}

/** The flat gradients without loss scale, shortened to the largest norm allowed; `whole` does so for all together. */
function clipped(
  { optimizer }: Player<unknown>,
  gradients: readonly FlatGradient[],
  whole: Tensor,
  applies: Tensor,
  lossScale?: Tensor,
): Clipped {
  const { clip: most, clipApart = [] } = optimizer!;
  if (clipApart.length === 0 || most === Infinity) {
    // The factor itself says whether the update applies: one buffer less in the update's kernel, which then stays one.
    const factor = where(applies, whole, 0);
    return { gradients: gradients.map((each) => mul(each.gradient, factor)), applies: factor };
  }
  const groupOf = (name: string) => clipApart.findIndex((prefix) => name.startsWith(prefix));
  const all = gradients.flatMap(({ parameters }) => parameters);
  const scales = new Map<number, Tensor>();
  for (const group of new Set(all.map(({ name }) => groupOf(name)))) {
    const own = all.filter(({ name }) => groupOf(name) === group);
    scales.set(
      group,
      clip(
        own.map(({ gradient }) => gradient),
        most,
        lossScale,
      ).scale,
    );
  }
  return {
    applies,
    gradients: gradients.map(({ parameters, size }) =>
      flat(
        parameters.map((each) => ({
          ...each,
          gradient: mul(each.gradient, scales.get(groupOf(each.name))!),
        })),
        size,
      ),
    ),
  };
}

/**
 * Clipped gradient step on every flat tensor of a player, with its running averages. An update that is not finite leaves all of
 * them as they are; its number counts all the same. The loss scale follows the gradient alone.
 */
export function optimise(
  player: Player<unknown>,
  gradients: readonly FlatGradient[],
  scalars: ScalarInputs,
  judge: (norm: Tensor, dynamicScale?: Tensor) => Verdict,
): { readonly updates: [Tensor, Tensor][]; readonly norm: Tensor; readonly verdict: Verdict } {
  const { optimizer, averages } = player;
  if (!optimizer) throw failure("E_CONFIG", `Cannot train the ${player.name}: no optimizer has role "${player.name}"`);
  const scaling = lossScaleOf(player.name, player.lossScaling);
  const { norm, scale: shortened } = clip(
    gradients.map(({ gradient }) => gradient),
    optimizer.clip,
    scaling?.scale,
  );
  const verdict = judge(norm, player.lossScaling === "dynamic" ? scaling?.scale : undefined);
  const { gradients: steps, applies } = clipped(player, gradients, shortened, verdict.applies, scaling?.scale);
  const updates: [Tensor, Tensor][] = [];
  const become = (old: Tensor, next: Tensor) => updates.push([old, where(applies, next, old)]);
  gradients.forEach(({ arena, size }, i) => {
    const weights = state(arenaName(player.owner("weights"), arena), [size]);
    const moments = Object.fromEntries(
      optimizer.moments.map((name) => [name, state(arenaName(player.moment(name), arena), [size])]),
    );
    const plugin = `the optimizer of the ${player.name}`;
    const next = attempt(plugin, "update", () => optimizer.update(weights, steps[i], moments, scalars.named));
    for (const [name, value] of [["weights", next?.weights], ...Object.entries(next?.moments ?? {})] as const)
      if (!isTensor(value))
        throw pluginFault(plugin, `its update gives ${name} as ${whatIs(value)}`, "should be a tensor");
    become(weights, next.weights);
    for (const name of optimizer.moments) become(moments[name], next.moments[name]);
    for (const { copy, keep } of averages) {
      const old = state(arenaName(player.owner(copy), arena), [size]);
      become(old, ema(old, next.weights, scalars.get(keep)));
    }
  });
  const { running } = verdict;
  for (const [old, next] of scaling?.updates(isFinitePositive(norm)) ?? [])
    updates.push([old, running ? where(running, next, old) : next]);
  updates.push(...verdict.updates);
  return { updates, norm, verdict };
}

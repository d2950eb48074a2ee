import { NoiseSource } from "../diffusion/noiseSource.ts";
import { failure } from "../errors.ts";
import { grad, type Program, program } from "../graph/mod.ts";
import type { Condition } from "../interfaces/condition.ts";
import type { CriticNetwork } from "../interfaces/critic.ts";
import type { DataShape } from "../interfaces/dataset.ts";
import type { Denoiser } from "../interfaces/denoiser.ts";
import type { GeneratorNetwork } from "../interfaces/generator.ts";
import type { Images, Loss, LossContext } from "../interfaces/loss.ts";
import { arenaName } from "../nn/parameters.ts";
import { add, input, mul, pack, state, stopGradient } from "../ops/mod.ts";
import { clip, ema } from "../optim/mod.ts";
import { formatShape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Player } from "./player.ts";
import { ScalarInputs } from "./scalarInputs.ts";
import type { Phase } from "./schedule.ts";

/** The roles of a run; teacher training has only the first. */
export interface Players {
  readonly teacher: Player<Denoiser>;
  readonly generator?: Player<GeneratorNetwork>;
  readonly critic?: Player<CriticNetwork>;
}

/** What one update of a role consists of, before it is compiled. */
export interface PhaseDefinition {
  readonly phase: Phase;
  readonly players: Players;
  /** The terms of this role; those of weight 0 are left out. */
  readonly losses: readonly Loss[];
  readonly data: DataShape;
  readonly batch: number;
  /** Where the critic's images come from: drawn now, or those of the generator's turn just before. */
  readonly generated: "fresh" | "stored";
}

/** A traced update and what has to be fed to it. */
export interface PhaseProgram {
  readonly program: Program;
  readonly scalars: ScalarInputs;
  /** Whether it reads a batch of real images (inputs `real.x`, `real.label`). */
  readonly readsReal: boolean;
  /** Names of its outputs: each term, and the norm of the gradient before clipping. */
  readonly outputs: readonly string[];
}

/** States that hand the generator's images to the critic's turn. */
export const STORED = { x: "generated.x", label: "generated.label" } as const;

export const GRADIENT_NORM = "gradient-norm";
/** Scalar input: the share of the old average that is kept. */
export const AVERAGE_KEEP = "keep";
export const weightName = (loss: Loss): string => `weight of ${loss.name}`;

/** Every phase has random streams of its own; no phase makes a million draws. */
const firstStream = (phase: Phase, generated: "fresh" | "stored"): number =>
  ({ teacher: 1, generator: 2, critic: generated === "fresh" ? 3 : 4 })[phase] * 2 ** 20;

/**
 * One update of a role as a program: its losses, their gradient, clipping, the optimiser and the running average.
 * @throws ShapeError when a loss is not a single number.
 */
export function phaseProgram(definition: PhaseDefinition): PhaseProgram {
  const { phase, players, data, batch, generated } = definition;
  const player = present(players[phase], phase) as Player<unknown>;
  const noise = new NoiseSource(input("key", [3], "i32"), firstStream(phase, generated));
  const scalars = new ScalarInputs();
  const bound = bindPlayers(players, phase);
  const images = new PhaseImages(data, batch, noise, generated, bound.generator);

  const context: LossContext = {
    noise,
    get teacher() {
      return present(bound.teacher, "teacher");
    },
    get generator() {
      return present(bound.generator, "generator");
    },
    get critic() {
      return present(bound.critic, "critic");
    },
    get generated() {
      return phase === "generator" ? images.generated : detached(images.generated);
    },
    get real() {
      return images.real;
    },
  };

  const terms = definition.losses
    .filter((loss) => loss.role === phase && loss.weight !== 0)
    .map((loss) => ({ loss, value: scalarTerm(loss, loss.compute(context)) }));
  if (terms.length === 0)
    throw failure("E_CONFIG", `Cannot train the ${phase}: it has no loss, expected at least one`);
  const total = terms
    .map(({ loss, value }) => mul(value, scalars.get(weightName(loss))))
    .reduce((a, b) => add(a, b));

  const parameters = bound.parameters[phase]!;
  const { updates, norm } = optimise(player, parameters.tensors, total, scalars);
  if (phase === "generator") {
    const { x, condition } = images.generated;
    updates.push([state(STORED.x, x.shape), x]);
    if (condition.label) updates.push([state(STORED.label, [batch], "i32"), condition.label]);
  }
  const outputs = {
    ...Object.fromEntries(terms.map(({ loss, value }) => [loss.name, value])),
    [GRADIENT_NORM]: norm,
  };
  return {
    program: program({ name: `${phase} update`, outputs, updates }),
    scalars,
    readsReal: images.readsReal,
    outputs: Object.keys(outputs),
  };
}

function bindPlayers(players: Players, phase: Phase) {
  const bind = <T>(player: Player<T> | undefined) =>
    // A frozen teacher is used through its average; whoever learns, and who learns against it, through the weights.
    player?.bind(player.name === "teacher" && phase !== "teacher" ? "served" : "weights");
  const [teacher, generator, critic] = [
    bind(players.teacher),
    bind(players.generator),
    bind(players.critic),
  ];
  return {
    teacher: teacher?.network,
    generator: generator?.network,
    critic: critic?.network,
    parameters: {
      teacher: teacher?.parameters,
      generator: generator?.parameters,
      critic: critic?.parameters,
    },
  };
}

/** Real and generated images, made when a loss first asks for them. */
class PhaseImages {
  readsReal = false;
  #real: Images | undefined;
  #generated: Images | undefined;
  readonly #make: { real: () => Images; generated: () => Images };

  constructor(
    data: DataShape,
    batch: number,
    noise: NoiseSource,
    generated: "fresh" | "stored",
    generator: GeneratorNetwork | undefined,
  ) {
    const shape = [batch, ...data.sample];
    const labelled = (label: () => Tensor): Condition =>
      data.classes > 0 ? { label: label() } : {};
    this.#make = {
      real: () => ({
        x: input("real.x", shape),
        condition: labelled(() => input("real.label", [batch], "i32")),
      }),
      generated: () => {
        if (generated === "stored")
          return {
            x: state(STORED.x, shape),
            condition: labelled(() => state(STORED.label, [batch], "i32")),
          };
        const condition = labelled(() => noise.integers(batch, 0, data.classes));
        return { x: present(generator, "generator").generate(batch, condition, noise), condition };
      },
    };
  }
  get real(): Images {
    this.readsReal = true;
    return (this.#real ??= this.#make.real());
  }
  get generated(): Images {
    return (this.#generated ??= this.#make.generated());
  }
}

const detached = ({ x, condition }: Images): Images => ({ x: stopGradient(x), condition });

function present<T>(value: T | undefined, role: string): T {
  if (value === undefined)
    throw failure("E_CONFIG", `Cannot train: there is no ${role}, the config should have one`);
  return value;
}

function scalarTerm(loss: Loss, value: Tensor): Tensor {
  if (sizeOf(value.shape) !== 1)
    throw failure(
      "E_SHAPE",
      `Cannot use loss ${loss.name}: it returns a tensor of shape ${formatShape(value.shape)}, expected one number`,
    );
  return value;
}

/** Clipped gradient step on every arena of a player, with its running average. */
function optimise(
  player: Player<unknown>,
  parameters: readonly Tensor[],
  loss: Tensor,
  scalars: ScalarInputs,
) {
  const { layout, optimizer, average } = player;
  if (!optimizer)
    throw failure(
      "E_CONFIG",
      `Cannot train the ${player.name}: no optimizer has role "${player.name}"`,
    );
  const gradients = grad(loss, parameters);
  const flat = layout.arenas.map((size, arena) => {
    const own = layout.entries
      .map((entry, i) => ({ ...entry, gradient: gradients[i] }))
      .filter((e) => e.arena === arena);
    return pack(
      own.map((e) => e.gradient),
      own.map((e) => e.offset),
      size,
    );
  });
  const { norm, scale } = clip(flat, optimizer.clip);
  const updates: [Tensor, Tensor][] = [];
  flat.forEach((gradient, arena) => {
    const size = [layout.arenas[arena]];
    const weights = state(arenaName(player.owner("weights"), arena), size);
    const moments = Object.fromEntries(
      optimizer.moments.map((name) => [name, state(arenaName(player.moment(name), arena), size)]),
    );
    const next = optimizer.update(weights, mul(gradient, scale), moments, scalars.named);
    updates.push([weights, next.weights]);
    for (const name of optimizer.moments) updates.push([moments[name], next.moments[name]]);
    if (average) {
      const old = state(arenaName(player.owner("served"), arena), size);
      updates.push([old, ema(old, next.weights, scalars.get(AVERAGE_KEEP))]);
    }
  });
  return { updates, norm };
}

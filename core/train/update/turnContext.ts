import { NoiseSource } from "../../diffusion/noiseSource.ts";
import { failure } from "../../errors.ts";
import type { CriticNetwork } from "../../interfaces/critic.ts";
import type { DataShape } from "../../interfaces/dataset.ts";
import type { Denoiser } from "../../interfaces/denoiser.ts";
import type { GeneratorNetwork } from "../../interfaces/generator.ts";
import type { Images, Loss, LossContext, OwnSamples } from "../../interfaces/loss.ts";
import type { BoundParameters } from "../../nn/parameters.ts";
import { input, stopGradient } from "../../ops/mod.ts";
import { formatShape, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { PhaseImages } from "../batch/turnImages.ts";
import type { Phase } from "../loop/schedule.ts";
import type { Player } from "./player.ts";

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
  /** Images of the whole update. */
  readonly batch: number;
  /** Parts in which the gradient of the batch is gathered; 1 by default. A divisor of `batch`. */
  readonly parts?: number;
  /** Whose values are computed again for the gradient instead of being kept; "none" by default. */
  readonly recompute?: "none" | "blocks";
  /** Where the critic's images come from: drawn now, or those of the generator's turn just before. */
  readonly generated: "fresh" | "stored";
  /** What it draws from, instead of the seed's source. */
  readonly noise?: NoiseSource;
}

/** The terms of a role's objective that count. */
export const activeLosses = (losses: readonly Loss[], phase: Phase): readonly Loss[] =>
  losses.filter((loss) => loss.role === phase && loss.weight !== 0);

/** Input with one tensor of a loss's own samples. */
export const ownInput = (loss: Loss, tensor: string): string => `${loss.name}: ${tensor}`;

/** Input with the places in the batch that a part holds, i32 [batch / parts]. */
export const ROWS = "rows";

/** One term of a role's objective, traced. */
export interface Term {
  readonly loss: Loss;
  /** Not yet weighted. */
  readonly value: Tensor;
}

/** A phase with its roles bound and its losses traced. */
export interface TracedPhase {
  readonly terms: readonly Term[];
  readonly images: PhaseImages;
  /** Of the role that learns. */
  readonly parameters: BoundParameters;
  /** What losses have reported beside their value, by name: scalars without a gradient. */
  readonly reports: ReadonlyMap<string, Tensor>;
  /** Places in the batch, where it is gathered in parts. */
  readonly rows?: Tensor;
}

/** Every phase has random streams of its own; no phase makes a million draws. */
const firstStream = (phase: Phase, generated: "fresh" | "stored"): number =>
  ({ teacher: 1, generator: 2, critic: generated === "fresh" ? 3 : 4 })[phase] * 2 ** 20;

/**
 * Binds the roles and traces the losses of a phase.
 * @throws ShapeError when a loss is not a single number, E_CONFIG when a part is missing.
 */
export function tracePhase(definition: PhaseDefinition): TracedPhase {
  const { phase, players, data, batch, parts = 1, generated } = definition;
  const size = batch / parts;
  const rows = parts > 1 ? input(ROWS, [size], "i32") : undefined;
  const seeded = () =>
    new NoiseSource(input("key", [3], "i32"), firstStream(phase, generated), rows);
  const noise = definition.noise ?? seeded();
  const bound = bindPlayers(players, phase);
  const images = new PhaseImages({ data, size, batch, rows, noise, generated }, () =>
    present(bound.generator?.network, "generator"),
  );
  const reports = new Map<string, Tensor>();
  const contextOf = (loss: Loss): LossContext => ({
    noise,
    own: loss.own && ownSamples(loss, loss.own, size),
    get teacher() {
      return present(bound.teacher?.network, "teacher");
    },
    get generator() {
      return present(bound.generator?.network, "generator");
    },
    get critic() {
      return present(bound.critic?.network, "critic");
    },
    get generated() {
      return phase === "generator" ? images.generated : detached(images.generated);
    },
    get real() {
      return images.real;
    },
    report: (name, value) => void reports.set(name, stopGradient(scalar(name, value))),
  });
  const terms = activeLosses(definition.losses, phase).map((loss) => ({
    loss,
    value: scalar(loss.name, loss.compute(contextOf(loss))),
  }));
  if (terms.length === 0)
    throw failure("E_CONFIG", `Cannot train the ${phase}: it has no loss, expected at least one`);
  return { terms, images, parameters: bound[phase]!.parameters, reports, rows };
}

function bindPlayers(players: Players, phase: Phase) {
  present(players[phase], phase);
  const bind = <T>(player: Player<T> | undefined) =>
    // A frozen teacher is used through its average; whoever learns, and who learns against it, through the weights.
    player?.bind(player.name === "teacher" && phase !== "teacher" ? "served" : "weights");
  return {
    teacher: bind(players.teacher),
    generator: bind(players.generator),
    critic: bind(players.critic),
  };
}

const ownSamples = (loss: Loss, { tensors }: OwnSamples, size: number) =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, dtype }]) => [
      name,
      input(ownInput(loss, name), [size, ...shape], dtype),
    ]),
  );

const detached = ({ x, condition }: Images): Images => ({ x: stopGradient(x), condition });

function present<T>(value: T | undefined, role: string): T {
  if (value === undefined)
    throw failure("E_CONFIG", `Cannot train: there is no ${role}, the config should have one`);
  return value;
}

function scalar(name: string, value: Tensor): Tensor {
  if (sizeOf(value.shape) !== 1)
    throw failure(
      "E_SHAPE",
      `Cannot use loss ${name}: it returns a tensor of shape ${formatShape(value.shape)}, expected one number`,
    );
  return value;
}

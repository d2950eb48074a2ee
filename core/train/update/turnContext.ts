import { NoiseSource } from "../../diffusion/noiseSource.ts";
import { failure, suggestion } from "../../errors.ts";
import type { DataShape } from "../../interfaces/dataset.ts";
import type { GeneratorNetwork } from "../../interfaces/generator.ts";
import type { Images, Loss, LossContext, OwnSamples } from "../../interfaces/loss.ts";
import type { Stage, Turn } from "../../interfaces/method.ts";
import type { BoundParameters } from "../../nn/parameters.ts";
import { input, stopGradient } from "../../ops/mod.ts";
import { attempt, pluginFault, whatIs } from "../../plugin/made.ts";
import { formatShape, sizeOf } from "../../tensor/shape.ts";
import { isTensor, type Tensor } from "../../tensor/tensor.ts";
import { TurnImages } from "../batch/turnImages.ts";
import { ownInput, ROWS } from "../batch/turnInputs.ts";
import { placed } from "./places.ts";
import type { Copy, Player } from "./player.ts";
import { learnersOf, numbersOf } from "./roles.ts";
import { tracing } from "./tracedBy.ts";
import type { NonFinitePolicy } from "./verdict.ts";

/** The roles of a run by name. */
export type Players = Readonly<Record<string, Player<unknown>>>;

/** What one turn consists of, before it is compiled. */
export interface TurnDefinition {
  readonly turn: Turn;
  readonly stage: Stage;
  /** Those of the stage. */
  readonly players: Players;
  /** The role that makes the generated images. */
  readonly maker?: string;
  /** All losses of the run; those of other roles, and of weight 0, are left out. */
  readonly losses: readonly Loss[];
  readonly data: DataShape;
  /** Parts in which the gradient of the batch is gathered; 1 by default. A divisor of the stage's batch. */
  readonly parts?: number;
  /** Elements of a gradient that are gathered in one state, about: so that they can be sent while others are computed. All by default. */
  readonly bucket?: number;
  /** Whose values are computed again for the gradient instead of being kept; "none" by default. */
  readonly recompute?: "none" | "blocks";
  /** The first random stream of the turn; no turn makes a million draws. */
  readonly stream: number;
  /** What becomes of the run when the update is not finite; "stop" by default. */
  readonly nonFinite?: NonFinitePolicy;
  /** The source of its draws, instead of the seed's. */
  readonly noise?: NoiseSource;
}

/** The terms of a role's objective that count. */
export const activeLosses = (losses: readonly Loss[], role: string): readonly Loss[] =>
  losses.filter((loss) => loss.role === role && loss.weight !== 0);

/** One term of a role's objective, traced. */
export interface Term {
  readonly loss: Loss;
  /** Not yet weighted. */
  readonly value: Tensor;
}

/** A turn with its roles bound and its losses traced. */
export interface TracedTurn {
  readonly terms: readonly Term[];
  readonly images: TurnImages;
  /** Of the role that learns. */
  readonly parameters: BoundParameters;
  /** What losses have reported beside their value, by name: scalars without a gradient. */
  readonly reports: ReadonlyMap<string, Tensor>;
  /** Names of the stage's numbers that losses have read. */
  readonly asked: ReadonlySet<string>;
}

/**
 * Binds the roles and traces the losses of a turn.
 * @throws ShapeError when a loss is not a single number, E_CONFIG when a part is missing.
 */
export function traceTurn(definition: TurnDefinition): TracedTurn {
  const { turn, stage, players, maker, data, parts = 1, stream } = definition;
  const { batch } = stage;
  const size = batch / parts;
  const rows = parts > 1 ? input(ROWS, [size], "i32") : undefined;
  const seeded = () => new NoiseSource(input("key", [3], "i32"), stream, rows);
  const noise = definition.noise ?? seeded();
  const bound = new BoundPlayers(players, stage);
  const kept = turn.images === "kept";
  const numbers = numbersOf(players[maker ?? "generator"]?.role);
  const images = new TurnImages({ data, size, batch, rows, noise, kept, numbers }, () =>
    bound.role<GeneratorNetwork>(maker ?? "generator"),
  );
  const reports = new Map<string, Tensor>();
  const asked = new Set<string>();
  const said = { name: stage.name, numbers: noting(stage.numbers, asked) };
  const shared = {};
  const contextOf = (loss: Loss): LossContext => ({
    noise,
    shared,
    stage: said,
    own: loss.own && ownSamples(loss, loss.own, size),
    role: (name) => bound.role(name, loss),
    average: (name, label) => bound.average(name, label, loss),
    get teacher() {
      return bound.role<LossContext["teacher"]>("teacher", loss);
    },
    get generator() {
      return bound.role<LossContext["generator"]>("generator", loss);
    },
    get critic() {
      return bound.role<LossContext["critic"]>("critic", loss);
    },
    get generated() {
      return turn.role === maker ? images.generated : detached(images.generated);
    },
    get real() {
      return images.real;
    },
    report: (name, value) => void reports.set(name, stopGradient(scalar(loss, `its report of ${name} is`, value))),
  });
  const { parameters } = bound.of(turn.role, "weights");
  const terms = activeLosses(definition.losses, turn.role).map((loss) => ({
    loss,
    value: scalar(
      loss,
      "its compute returns",
      placed(pluginOf(loss), () => attempt(pluginOf(loss), "compute", () => loss.compute(contextOf(loss)))),
    ),
  }));
  if (terms.length === 0)
    throw failure("E_CONFIG", `Cannot train the ${turn.role}: it has no loss, expected at least one`);
  return { terms, images, parameters, reports, asked };
}

/** The roles of a stage over the copies of their weights that losses read, each bound once. */
class BoundPlayers {
  readonly #players: Players;
  readonly #learners: ReadonlySet<string>;
  readonly #bound = new Map<string, ReturnType<Player<unknown>["bind"]>>();

  constructor(players: Players, stage: Stage) {
    this.#players = players;
    this.#learners = learnersOf(stage);
  }
  /** A learner of the stage through the weights that are trained, all others through those that are served. */
  role<T>(name: string, loss?: Loss): T {
    return this.of(name, this.#learners.has(name) ? "weights" : "served", loss).network as T;
  }
  average<T>(name: string, label: string | undefined, loss: Loss): T {
    const { averages } = this.#player(name, loss);
    const found = averages.find(({ average }) => average.label === label);
    if (found) return this.of(name, found.copy, loss).network as T;
    const kept = averages.map(({ average }) => `${name}${average.label ? `/${average.label}` : ""}`);
    const wanted = label === undefined ? name : `${name}/${label}`;
    throw failure(
      "E_CONFIG",
      `Cannot train: the loss ${loss.name} asks for the average ${wanted}, the config keeps ${kept.join(", ") || `none of the ${name}`}`,
      { fix: `add averages.${wanted}, or change the loss's option to one that is kept` },
    );
  }
  of(name: string, copy: Copy, loss?: Loss): ReturnType<Player<unknown>["bind"]> {
    const key = `${name} ${copy}`;
    const known = this.#bound.get(key) ?? this.#bind(this.#player(name, loss), copy);
    this.#bound.set(key, known);
    return known;
  }
  #bind(player: Player<unknown>, copy: Copy) {
    const plugin = `the role ${player.name}`;
    const bound = attempt(plugin, "bind", () => player.bind(copy));
    const members = ["denoise", "generate", "discriminate", "judge"];
    return { ...bound, network: tracing(plugin, "bind", bound.network, members) };
  }
  #player(name: string, loss?: Loss): Player<unknown> {
    if (Object.hasOwn(this.#players, name)) return this.#players[name];
    const names = Object.keys(this.#players);
    const asks = loss ? `the loss ${loss.name} asks for the role ${name}` : `there is no ${name}`;
    throw failure("E_CONFIG", `Cannot train: ${asks}, the stage has ${names.join(", ")}${suggestion(name, names)}`, {
      fix: loss
        ? `leave the loss out with --set losses.${loss.name}=off, or use a method that has the role`
        : `add a section ${name} to the config, or leave out the losses that ask for it`,
    });
  }
}

/** The numbers of a stage, with the names of those that are read put into `asked`. */
const noting = (numbers: Stage["numbers"], asked: Set<string>): Stage["numbers"] =>
  numbers &&
  Object.defineProperties(
    {},
    Object.fromEntries(
      Object.entries(numbers).map(([name, value]) => [
        name,
        {
          enumerable: true,
          get() {
            asked.add(name);
            return value;
          },
        },
      ]),
    ),
  );

const ownSamples = (loss: Loss, { tensors }: OwnSamples, size: number) =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, dtype }]) => [
      name,
      input(ownInput(loss, name), [size, ...shape], dtype),
    ]),
  );

const detached = ({ x, condition }: Images): Images => ({ x: stopGradient(x), condition });

const pluginOf = ({ name }: Loss): string => `loss "${name}"`;

/** A number that a loss has given, as a tensor. @throws E_PLUGIN or E_SHAPE where it is something else */
function scalar(loss: Loss, from: string, value: Tensor): Tensor {
  if (!isTensor(value))
    throw pluginFault(pluginOf(loss), `${from} ${whatIs(value)}`, "should be a tensor with one element");
  if (sizeOf(value.shape) !== 1)
    throw failure(
      "E_SHAPE",
      `Cannot use loss ${loss.name}: ${from} a tensor of shape ${formatShape(value.shape)}, expected one number`,
    );
  return value;
}

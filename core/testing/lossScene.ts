import type { Container } from "../di/mod.ts";
import { type Program, program } from "../graph/mod.ts";
import {
  BACKEND,
  type Backend,
  CRITIC,
  classLabel,
  DATA_FOLDER,
  type DataFolder,
  type DataShape,
  GENERATOR,
  type HostArray,
  LOSSES,
  type Loss,
  type Memory,
  type Role,
  type Stage,
  TEACHER,
} from "../interfaces/mod.ts";
import { storeFrozen } from "../nn/frozen.ts";
import { arenaName } from "../nn/mod.ts";
import { sgd } from "../optim/mod.ts";
import type { ConfiguredPlugin } from "../plugin/mod.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { turnInputs } from "../train/batch/turnInputs.ts";
import { Player } from "../train/mod.ts";
import { flatGradients } from "../train/update/optimise.ts";
import { type TracedTurn, type TurnDefinition, traceTurn } from "../train/update/turnContext.ts";
import { turnProgram, weightName } from "../train/update/turnProgram.ts";
import { compose } from "./compose.ts";
import type { Devices } from "./devices.ts";
import { madeUpData } from "./madeUpData.ts";
import { smallRole } from "./smallRole.ts";

/** What a loss is tested on. */
export interface LossTest extends Devices {
  /** What the data look like; three numbers of two classes by default. */
  readonly shape?: DataShape;
  /** Samples of an update; 4 by default. */
  readonly batch?: number;
  /** Plugins that it needs, such as a noise process or those of its `needs`, and losses that stand before it in a config. */
  readonly plugins?: readonly ConfiguredPlugin[];
  /** Roles besides `generator`, `teacher`, `critic` and its own, or in their place; by default all are small networks. */
  readonly roles?: Readonly<Record<string, Role>>;
  /** Labels of running averages that it asks for; the one without a label is there. */
  readonly averages?: readonly string[];
  /** Numbers of its stage. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** Where its files are. */
  readonly folder?: DataFolder;
  /**
   * For a loss whose gradient is not that of its value, on purpose, as its `stopGradient` of something that depends on its
   * role says: what is behind such barriers is held fixed while the gradient is checked.
   */
  readonly surrogate?: boolean;
}

const SHAPE: DataShape = { sample: [3], condition: classLabel(2), sigmaData: 0.5 };

/** One update by a loss on a device, with everything that takes part, made anew. */
export class LossScene {
  readonly loss: Loss;
  readonly memory: Memory;
  readonly #backend: Backend;
  readonly #container: Container;
  readonly #players: Readonly<Record<string, Player<unknown>>>;
  readonly #losses: readonly Loss[];
  readonly #shape: DataShape;
  readonly #stage: Stage;
  readonly #runs: { dispose(): void }[] = [];
  #traced: TracedTurn | undefined;

  private constructor(backend: Backend, container: Container, setting: LossTest) {
    const { batch = 4, shape = SHAPE, numbers, roles = {}, averages = [] } = setting;
    this.#backend = backend;
    this.#container = container;
    this.#shape = shape;
    this.#losses = container.all(LOSSES);
    this.loss = this.#losses[this.#losses.length - 1];
    this.memory = backend.createMemory();
    for (const loss of this.#losses)
      if (loss.weight !== 0) for (const weights of loss.frozen?.() ?? []) storeFrozen(this.memory, weights);
    const { role } = this.loss;
    const cycle = [[{ role }]];
    this.#stage = { name: "test", steps: 1, batch, cycle, ...(numbers && { numbers }) };
    const small = smallRole(container);
    const known: Record<string, Role> = {
      [role]: small,
      generator: container.get(GENERATOR),
      teacher: container.get(TEACHER),
      critic: container.get(CRITIC),
      ...roles,
    };
    const kept = (name: string, label?: string) => ({
      role: name,
      keep: () => 1,
      ...(label !== undefined && { label }),
    });
    const players = Object.entries(known).map(([name, each], i) => {
      const player = new Player(name, each, this.memory, {
        averages: [undefined, ...averages].map((label) => kept(name, label)),
        optimizer: descent(name),
      });
      player.initialise(i);
      return [name, player] as const;
    });
    this.#players = Object.fromEntries(players);
  }

  static async open(backend: Backend, plugin: ConfiguredPlugin, setting: LossTest): Promise<LossScene> {
    const { shape = SHAPE, plugins = [], folder } = setting;
    const container = compose(shape, ...plugins, plugin).value(BACKEND, backend, "the test");
    if (folder) container.value(DATA_FOLDER, folder, "the test");
    const small = smallRole(container);
    if (!container.has(GENERATOR)) container.value(GENERATOR, small, "the test");
    if (!container.has(CRITIC)) container.value(CRITIC, small, "the test");
    if (!container.has(TEACHER)) container.value(TEACHER, { ...small, trainable: true }, "the test");
    for (const loss of container.all(LOSSES)) if (loss.weight !== 0) await loss.load?.();
    return new LossScene(backend, container, setting);
  }

  #definition(losses: readonly Loss[]): TurnDefinition {
    return {
      turn: { role: this.loss.role },
      stage: this.#stage,
      players: this.#players,
      maker: GENERATOR.name,
      losses,
      data: this.#shape,
      stream: 0,
      nonFinite: "skip",
    };
  }
  /** Whether the traced value reads anything that follows from the seed. */
  get draws(): boolean {
    const { images, terms } = this.#traced!;
    const value = terms[terms.length - 1].value;
    const { nodes } = program({ name: "value", outputs: { value } });
    const keyed = nodes.some(({ attrs }) => attrs.name === "key");
    return keyed || images.reads.size > 0 || this.loss.own !== undefined;
  }

  /** The loss, its gradient for every flat tensor of its role by the name of that state, and what it reports. */
  trace() {
    this.#traced = traceTurn(this.#definition(this.#losses));
    const { terms, parameters, reports } = this.#traced;
    const { value } = terms[terms.length - 1];
    const player = this.#players[this.loss.role];
    const gradients = flatGradients(player, parameters.tensors, value).map(
      ({ arena, gradient }) => [arenaName(player.owner("weights"), arena), gradient] as const,
    );
    return {
      value,
      gradients: Object.fromEntries(gradients),
      reports: Object.fromEntries([...reports].map(([name, each]) => [`its ${name}`, each])),
    };
  }
  /** The update of its role by these losses. */
  program(losses: readonly Loss[]): Program {
    return turnProgram(this.#definition(losses)).program;
  }

  async #inputs(seed: number, reads: ReadonlySet<"real" | "prompt">) {
    const losses = new Map(this.#losses.entries());
    const streams = new Map([...reads].map((who) => [who, who === "real" ? 1 : 2] as const));
    const { batch } = this.#stage;
    const moment = { step: 0, seed, batch, parts: 1, reads: streams, losses };
    return turnInputs(madeUpData(this.#shape), moment)(0);
  }
  /** Makes a program ready: called with a seed, and inputs besides those of an update, it gives its outputs. */
  async compiled(made: Program) {
    const run = await this.#backend.compile(made, this.memory);
    this.#runs.push(run);
    return async (seed: number, more: Readonly<Record<string, HostArray>> = {}) => {
      await run.run({ ...(await this.#inputs(seed, this.#traced!.images.reads)), ...more });
      const read: Record<string, HostArray> = {};
      for (const name of made.outputs.keys()) read[name] = await run.read(name);
      return read;
    };
  }
  async run(made: Program, seed: number): Promise<Record<string, HostArray>> {
    return (await this.compiled(made))(seed);
  }
  /** A step of gradient descent. */
  async update(): Promise<void> {
    const { program: made, scalars, reads } = turnProgram(this.#definition(this.#losses));
    const run = await this.#backend.compile(made, this.memory);
    this.#runs.push(run);
    const { averages } = this.#players[this.loss.role];
    const keeps = averages.map(({ keep }) => [keep, 1]);
    const weights = this.#losses.map((loss) => [weightName(loss), loss.weight]);
    const numbers = Object.fromEntries([...keeps, ...weights, ["rate", 0.1]]);
    await run.run({ ...(await this.#inputs(0, reads)), scalars: scalars.encode(numbers) });
  }
  /** All states of all roles. */
  async states(): Promise<Record<string, HostArray>> {
    const read: Record<string, HostArray> = {};
    for (const name of this.memory.names()) read[name] = await this.memory.read(name);
    return read;
  }
  async close(): Promise<void> {
    for (const run of this.#runs) run.dispose();
    this.memory.dispose();
    await this.#container.dispose();
    await this.#backend.finish();
  }
}

/** Gradient descent for a role. */
const descent = (role: string) => ({
  role,
  clip: Number.POSITIVE_INFINITY,
  moments: [],
  scalars: () => ({ rate: 0.1 }),
  update: (weights: Tensor, gradient: Tensor, _: object, { rate }: Readonly<Record<string, Tensor>>) => ({
    weights: sgd({ weights, gradient, moment: gradient, scalars: { rate } }).weights,
    moments: {},
  }),
});

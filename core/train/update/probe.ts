import { program, rootOf } from "../../graph/mod.ts";
import { ScalarInputs } from "../../graph/scalarInputs.ts";
import type { Backend, HostArray, Memory } from "../../interfaces/backend.ts";
import { arenaName } from "../../nn/parameters.ts";
import { abs, nameOf, reshape, sources, sub, sum } from "../../ops/mod.ts";
import { gradientNorm, isFinitePositive } from "../../optim/mod.ts";
import { formatShape, sizeOf } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Described } from "../batch/conditionInputs.ts";
import type { Inputs } from "../batch/turnImages.ts";
import { type Place, placed, withPlaces } from "./places.ts";
import type { TurnDefinition } from "./turnContext.ts";
import { traceUpdate } from "./turnProgram.ts";

/** Nodes that one program looks at: few enough to compile, many enough to end soon. */
const PORTION = 128;
/** Bytes of all values that one program gives out. */
const PORTION_BYTES = 2 ** 26;

/** A value of an update. */
export interface ProbedNode {
  readonly node: Tensor;
  /** Which plugins have made it, the innermost first: `network "mlp"`, `the role generator`, `loss "gan-generator"`. */
  readonly plugins: readonly string[];
  /** The value in whose derivative it stands, which these plugins have traced; absent where it is no part of one. */
  readonly derivativeOf?: Tensor;
  /** Parameters that it is computed from directly, such as `generator l1.weight`. */
  readonly parameters: readonly string[];
}

/** Where an update is probed, and what it is fed. */
export interface ProbeRequest {
  readonly backend: Backend;
  readonly memory: Memory;
  /** Its batch, part after part, of what it reads. */
  readonly inputs: (reads: ReadonlySet<Described>) => (part: number) => Promise<Inputs>;
  /** Its rates and weights. */
  readonly numbers: Readonly<Record<string, number>>;
}

/**
 * All values of an update, one by one: the same roles, images and draws as in the update's program, but nothing is changed. What
 * only passes elements on is left out. It costs memory and time that only a question about a single step is worth.
 */
export class UpdateProbe {
  /** In the order in which they were traced: inputs before users, the losses before the gradient. */
  readonly nodes: readonly ProbedNode[];
  /** Parts in which the batch is gathered. */
  readonly parts: number;
  readonly #role: string;
  readonly #request: ProbeRequest;
  readonly #reads: ReadonlySet<Described>;
  readonly #scalars = new ScalarInputs();

  constructor(definition: TurnDefinition, request: ProbeRequest) {
    this.parts = definition.parts ?? 1;
    this.#role = definition.turn.role;
    this.#request = request;
    const derivatives: { node: Tensor; first: number; end: number }[] = [];
    const { value: traced, places } = withPlaces(() => {
      const update = traceUpdate(definition, this.#scalars, (node, first, end) =>
        derivatives.push({ node, first, end }),
      );
      const flat = update.gradients.map(({ gradient }) => gradient);
      // Of a batch in parts, the norm is that of the sum.
      const norm = this.parts === 1 ? [placed("the norm of the gradient", () => gradientNorm(flat))] : [];
      return { ...update, ends: [...flat, ...norm] };
    });
    this.#reads = traced.images.reads;
    const parameterOf = parameterNames(definition);
    const inside =
      (id: number) =>
      ({ first, end }: { first: number; end: number }) =>
        id >= first && id < end;
    this.nodes = madeOf([...traced.terms.map(({ value }) => value), ...traced.ends]).map((node) => {
      const derivative = derivatives.find(inside(node.id));
      return {
        node,
        plugins: places.filter(inside((derivative?.node ?? node).id)).map(({ plugin }: Place) => plugin),
        ...(derivative && { derivativeOf: derivative.node }),
        parameters: [...new Set(node.inputs.flatMap((each) => parameterOf(each) ?? []))],
      };
    });
  }

  /** Values of some nodes, as they are or as `look` makes them of each, part after part of the batch. */
  async *values({ nodes = this.nodes, look = (node) => node }: ProbeQuestion = {}): AsyncGenerator<ProbedValue[]> {
    const { backend, memory, inputs, numbers } = this.#request;
    const take = inputs(this.#reads);
    const fed = new Map<number, Promise<Inputs>>();
    for (const portion of inPortions(nodes, look)) {
      const outputs = Object.fromEntries(portion.map(({ value }, i) => [`${i}`, value]));
      const run = await backend.compile(program({ name: `${this.#role} probe`, outputs }), memory);
      try {
        for (let part = 0; part < this.parts; part++) {
          fed.set(part, fed.get(part) ?? take(part));
          await run.run({ ...(await fed.get(part)), scalars: this.#scalars.encode(numbers) });
          const read = portion.map(({ probed }, i) => run.read(`${i}`).then((values) => ({ probed, part, values })));
          yield await Promise.all(read);
        }
      } finally {
        run.dispose();
      }
    }
  }

  /** The first value that is not finite although all values it is computed from are, and how many of its elements; or undefined. */
  async origin(): Promise<{ readonly probed: ProbedNode; readonly count: number } | undefined> {
    const bad = Array.from({ length: this.parts }, () => new Set<Tensor>());
    const look = (node: Tensor) => sum(sub(1, isFinitePositive(abs(reshape(node, [sizeOf(node.shape)])))));
    for await (const portion of this.values({ nodes: this.nodes.filter(isFloat), look }))
      for (const { probed, part, values } of portion) {
        if (values[0] === 0) continue;
        if (!probed.node.inputs.some((each) => bad[part].has(rootOf(each).root))) return { probed, count: values[0] };
        bad[part].add(probed.node);
      }
    return undefined;
  }
}

/** A value of one part of a batch. */
export interface ProbedValue {
  readonly probed: ProbedNode;
  readonly part: number;
  readonly values: HostArray;
}

/** What is asked of a probe. */
export interface ProbeQuestion {
  /** All where absent. */
  readonly nodes?: readonly ProbedNode[];
  readonly look?: (node: Tensor) => Tensor;
}

const isFloat = ({ node }: ProbedNode): boolean => node.dtype === "f32";

/** What roots are computed from, themselves included, in the order of the trace; views and constants aside. */
function madeOf(roots: readonly Tensor[]): Tensor[] {
  const found = new Set<Tensor>();
  const stack = roots.map((root) => rootOf(root).root);
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    for (const each of node.inputs) stack.push(rootOf(each).root);
  }
  return [...found].filter(({ op }) => op !== sources.constant).sort((a, b) => a.id - b.id);
}

function inPortions(nodes: readonly ProbedNode[], look: (node: Tensor) => Tensor) {
  const portions: { probed: ProbedNode; value: Tensor }[][] = [];
  let bytes = Infinity;
  for (const probed of nodes) {
    const value = look(probed.node);
    const size = 4 * sizeOf(value.shape);
    if (bytes + size > PORTION_BYTES || portions[portions.length - 1].length === PORTION) {
      portions.push([]);
      bytes = 0;
    }
    portions[portions.length - 1].push({ probed, value });
    bytes += size;
  }
  return portions;
}

/** Finds the name of a parameter that a node reads. */
function parameterNames({ players }: TurnDefinition): (node: Tensor) => string | undefined {
  const names = new Map<string, string>();
  for (const player of Object.values(players))
    for (const copy of ["weights", "served", ...player.averages.map((each) => each.copy)] as const)
      for (const { name, arena, offset } of player.layout.entries)
        names.set(`${arenaName(player.owner(copy), arena)} ${offset}`, `${player.name} ${name}`);
  return (node) => {
    const { root, offset } = rootOf(node);
    return root.op === sources.state ? names.get(`${nameOf(root)} ${offset}`) : undefined;
  };
}

/**
 * Where a value stands in its update, for a file: its number in the trace, the plugins from the outermost in, parameters, op, such
 * as `0042/gan-generator/generator/mlp/generator l1.weight/matmul`. Of a derivative, behind `gradient`.
 */
export function pathOf({ nodes }: UpdateProbe, probed: ProbedNode): string {
  const { node, plugins, derivativeOf, parameters } = probed;
  const number = `${nodes.indexOf(probed)}`.padStart(4, "0");
  const makers = plugins.map((plugin) => plugin.match(/"(.*)"/)?.[1] ?? plugin.replace(/^the (role )?/, ""));
  const last = node.op === sources.input || node.op === sources.state ? nameOf(node) : node.op.name;
  return [number, ...(derivativeOf ? ["gradient"] : []), ...makers.reverse(), ...parameters, last].join("/");
}

/** A value in words: `log [3, 2] in loss "mine"`, `div [3, 2] in the derivative of log [3, 2] in loss "mine"`. */
export function describeNode({ node, plugins, derivativeOf, parameters }: ProbedNode): string {
  const { op } = node;
  if (op === sources.input) return `the input ${nameOf(node)}`;
  if (op === sources.state) return `the state ${nameOf(node)}, which was not finite before`;
  const shaped = ({ op: { name }, shape }: Tensor) => `${name}${shape.length > 0 ? ` ${formatShape(shape)}` : ""}`;
  const what = `${shaped(node)}${derivativeOf ? ` in the derivative of ${shaped(derivativeOf)}` : ""}`;
  const by = parameters.length > 0 ? ` with ${parameters.join(", ")}` : "";
  return `${what}${by}${plugins.length > 0 ? ` in ${plugins.join(", ")}` : ""}`;
}

import { invariant } from "../../../core/errors.ts";
import type { ElementwiseStep } from "../../../core/graph/plan.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import type { Tensor } from "../../../core/tensor/tensor.ts";
import { grainOf } from "../kernel.ts";
import type { Job } from "../threads/pool.ts";
import { Body, type Dialect, levels, type Value } from "./body.ts";
import { type Chain, chainOf, type Reference } from "./chain.ts";
import { emitters } from "./emitters.ts";
import { addressConst, i32Const, type ModuleWriter, type Signature, type ValueType } from "./module.ts";
import { floatBytes, opcodeBytes } from "./opcodes.ts";
import { Positions } from "./positions.ts";

/** Emits the fused elementwise steps of a module; steps of the same structure share a function. */
export class ElementwiseEmitter {
  readonly #module: ModuleWriter;
  readonly #dialect: Dialect;
  readonly #functions = new Map<string, { number: number; signature: Signature }>();

  constructor(module: ModuleWriter, dialect: Dialect) {
    this.#module = module;
    this.#dialect = dialect;
  }

  /** Adds a step to the module. `addressOf` says where a tensor lies, in bytes. */
  emit(step: ElementwiseStep, addressOf: (tensor: Tensor) => number): Job {
    const chain = chainOf(step);
    const builder = new FunctionBuilder(this.#module, this.#dialect, chain, addressOf);
    let known = this.#functions.get(chain.key);
    if (!known) {
      known = builder.build();
      this.#functions.set(chain.key, known);
    }
    const { items } = builder;
    const perItem = costOf(chain) * (sizeOf(step.shape) / items) + 5;
    return { step: this.#module.addStep(known, builder.args), items, grain: grainOf(perItem) };
  }
}

/**
 * The function of a chain: `(start, end, …)` over work items, which are blocks of rows, where a row is the innermost axis
 * along which every operand either moves by one or stands still. All sizes, addresses and constants are parameters.
 */
class FunctionBuilder {
  readonly #module: ModuleWriter;
  readonly #chain: Chain;
  readonly #types: ValueType[] = ["i32", "i32"];
  readonly #body: Body;
  readonly #positions: Positions;
  readonly #inputs: readonly number[];
  readonly #outputs: readonly number[];
  readonly #constants: readonly number[];
  /** Code that pushes the arguments of this chain, after the range. */
  readonly args: number[] = [];

  constructor(module: ModuleWriter, dialect: Dialect, chain: Chain, addressOf: (tensor: Tensor) => number) {
    this.#module = module;
    this.#chain = chain;
    this.#body = new Body(this.#types, dialect, (name) => {
      const params = Array<"f64">(name === "pow" ? 2 : 1).fill("f64");
      return module.importFunction("Math", name, { params, results: ["f64"] });
    });
    const take = (value: number): number => {
      this.args.push(...i32Const(value));
      return this.#types.push("i32") - 1;
    };
    const takeAddress = (tensor: Tensor): number => {
      this.args.push(...addressConst(dialect.addresses, addressOf(tensor)));
      return this.#types.push(dialect.addresses) - 1;
    };
    const takeFloat = (value: number): number => {
      this.args.push(0x43, ...floatBytes(value));
      return this.#types.push("f32") - 1;
    };
    this.#inputs = chain.inputs.map(takeAddress);
    this.#outputs = chain.outputs.map((i) => takeAddress(chain.nodes[i].node));
    this.#constants = chain.constants.map(({ dtype, value }) => (dtype === "f32" ? takeFloat(value) : take(value)));
    this.#positions = new Positions(this.#body, chain, { take });
  }

  /** Work items that cover the chain's shape. */
  get items(): number {
    return this.#positions.items;
  }

  build(): { number: number; signature: Signature } {
    const body = this.#body;
    const positions = this.#positions;
    this.#compute("v128.load", "v128.store", [0, 16]);
    // Code with branches joins no vectors and is long.
    const pairs = body.branches ? [] : positions.loop(positions.pairEnd, body.code[levels.vector], 32);
    this.#compute("v128.load", "v128.store");
    const vectors = positions.loop(positions.vectorEnd, body.code[levels.vector], 16);
    this.#compute("v128.load32_splat", "v128.store32_lane");
    const rest = positions.loop(positions.end, body.code[levels.vector], 4);

    const [item, end] = [
      [0x20, 0],
      [0x20, 1],
    ];
    const code = [
      ...body.code[levels.call],
      // block { loop { if (item >= end) leave; …; item++; again } }
      0x02,
      0x40,
      0x03,
      0x40,
      ...item,
      ...end,
      ...opcodeBytes("i32.ge_u"),
      0x0d,
      1,
      ...positions.ofItem(0),
      ...body.code[levels.row],
      ...pairs,
      ...vectors,
      ...rest,
      ...item,
      ...i32Const(1),
      ...opcodeBytes("i32.add"),
      0x21,
      0,
      0x0c,
      0,
      0x0b,
      0x0b,
    ];
    const signature = { params: this.#types, results: [] };
    return { number: this.#module.addFunction(signature, body.locals, code), signature };
  }

  /** The nodes on four elements, on one element in all lanes, or on a pair of vectors, whose second is 16 bytes `ahead`. */
  #compute(load: "v128.load" | "v128.load32_splat", store: "v128.store" | "v128.store32_lane", ahead = [0]): void {
    const body = this.#body;
    body.startVector();
    const results = ahead.map((bytes) => body.aheadBy(bytes, () => this.#values(load)));
    // Last of all: an output may lie where an input was.
    this.#chain.outputs.forEach((node, i) => {
      const address = { base: this.#outputs[i], position: this.#positions.of(0) };
      ahead.forEach((bytes, half) => {
        body.aheadBy(bytes, () => body.store(store, address, results[half][node]));
      });
    });
    body.clearSeconds();
  }

  /** What the nodes are, in their order. */
  #values(load: "v128.load" | "v128.load32_splat"): Value[] {
    const body = this.#body;
    const { nodes, constants, patternOf } = this.#chain;
    const values: Value[] = [];
    const resultOf = (reference: Reference): Value => {
      if ("node" in reference) return values[reference.node];
      if ("constant" in reference) {
        const { dtype } = constants[reference.constant];
        return body.splat(this.#constants[reference.constant], dtype);
      }
      const position = this.#positions.of(patternOf[reference.input]);
      const moves = position?.level === levels.vector;
      const base = this.#inputs[reference.input];
      return body.load(moves ? load : "v128.load32_splat", { base, position });
    };
    for (const { node, references } of nodes) {
      const emitter = emitters[node.op.name];
      invariant(emitter, `${node.op.name} has no emitter`);
      values.push(emitter(body, node, references.map(resultOf)));
    }
    return values;
  }
}

/** Nanoseconds per element on one core, roughly: memory traffic, and the elementary functions. */
function costOf({ nodes, inputs, outputs }: Chain): number {
  const traffic = 0.3 * (inputs.length + outputs.length);
  return nodes.reduce((sum, { node }) => sum + (costs[node.op.name] ?? 0.1), traffic);
}

const costs: Readonly<Record<string, number>> = {
  exp: 0.8,
  log: 1.5,
  log1p: 2,
  sin: 4,
  cos: 4,
  tanh: 2,
  erf: 2,
  softplus: 3,
  pow: 60,
  sigmoid: 1,
  silu: 1,
  quickGelu: 1,
  gelu: 3,
  geluTanh: 1.5,
  div: 0.3,
  sqrt: 0.3,
  rsqrt: 0.5,
};

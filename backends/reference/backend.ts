import { failure, invariant } from "../../core/errors.ts";
import type { Program } from "../../core/graph/program.ts";
import type { Backend, DeviceInfo, Executable, HostArray, Memory } from "../../core/interfaces/backend.ts";
import { attrsOf, nameOf, sources } from "../../core/ops/mod.ts";
import type { NumericArray, Tensor } from "../../core/tensor/tensor.ts";
import { makeArray, type Precision, ReferenceMemory } from "./memory.ts";
import { roundToHalf } from "./roundToHalf.ts";

/**
 * Runs every op's `reference`, node by node, on typed arrays: the oracle. Accumulates in float64 and stores float32
 * (or float64, for finite differences), rounded to float16 where a node is kept so. Slow, and shares no code with any
 * kernel.
 */
export class ReferenceBackend implements Backend {
  readonly info: DeviceInfo = {
    backend: "reference",
    name: "JavaScript (float64 oracle)",
    software: true,
  };
  readonly storesHalf = true;
  readonly keeps = ["f16", "bf16"] as const;
  readonly #precision: Precision;
  readonly #memories = new Set<ReferenceMemory>();
  constructor(precision: Precision = "f32") {
    this.#precision = precision;
  }

  createMemory(): ReferenceMemory {
    const memory = new ReferenceMemory(this.#precision);
    this.#memories.add(memory);
    return memory;
  }

  async compile(program: Program, memory: Memory): Promise<Executable> {
    invariant(memory instanceof ReferenceMemory, "a memory of another backend");
    const precision = this.#precision;
    let results = new Map<Tensor, NumericArray>();

    const compute = (node: Tensor, inputs: Readonly<Record<string, ArrayLike<number>>>): NumericArray => {
      const out = makeArray(elementsOf(node), node.dtype, precision);
      if (node.op === sources.input) {
        const name = nameOf(node);
        const given = inputs[name];
        if (given?.length !== out.length)
          throw failure(
            "E_SHAPE",
            `Cannot run ${program.name}: input "${name}" has ${given?.length ?? "no"} elements, expected ${out.length}`,
          );
        out.set(given);
      } else if (node.op === sources.state) {
        out.set(memory.array(nameOf(node)));
      } else if (node.op === sources.constant) {
        const { data, value } = attrsOf(node, sources.constant);
        if (data) out.set(data);
        else out.fill(value!);
      } else {
        invariant(node.op.reference, `${node.op.name} has no reference`);
        const exact = node.dtype === "i32" ? out : new Float64Array(out.length);
        node.op.reference(
          node,
          node.inputs.map((input) => results.get(input)!),
          exact,
        );
        if (exact !== out) out.set(exact);
        if (node.storage === "f16" && precision === "f32") roundAll(out);
      }
      return out;
    };

    return {
      program,
      async run(inputs = {}) {
        results = new Map();
        for (const node of program.nodes) results.set(node, compute(node, inputs));
        for (const [state, value] of program.updates) memory.array(nameOf(state)).set(results.get(value)!);
      },
      async read(output) {
        const node = program.outputs.get(output);
        invariant(node, `${program.name} has no output "${output}"`);
        const array = results.get(node)!;
        return (array instanceof Int32Array || precision === "f64" ? array : Float32Array.from(array)) as HostArray;
      },
      dispose: () => results.clear(),
    };
  }

  async finish(): Promise<void> {}
  get liveBytes(): number {
    return [...this.#memories].reduce((sum, memory) => sum + memory.bytes, 0);
  }
  async close(): Promise<void> {
    for (const memory of this.#memories) memory.dispose();
  }
}

function roundAll(values: NumericArray): void {
  for (let i = 0; i < values.length; i++) values[i] = roundToHalf(values[i]);
}

const elementsOf = (node: Tensor): number => node.shape.reduce((product, size) => product * size, 1);

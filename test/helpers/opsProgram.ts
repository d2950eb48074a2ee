import { OnestepError } from "../../core/errors.ts";
import { grad, jvp, program } from "../../core/graph/mod.ts";
import type { Backend, HostArray } from "../../core/interfaces/mod.ts";
import * as ops from "../../core/ops/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { Draw, type Drawn, examplesOf, exportedOps } from "./ops.ts";

type Outputs = Readonly<Record<string, Tensor>>;
type Inputs = Readonly<Record<string, HostArray>>;

/** What a backend makes of the outputs. */
export async function runOn(backend: Backend, outputs: Outputs, inputs: Inputs): Promise<Inputs> {
  const memory = backend.createMemory();
  const executable = await backend.compile(program({ name: "ops", outputs }), memory);
  try {
    await executable.run(inputs);
    const read: Record<string, HostArray> = {};
    for (const name of Object.keys(outputs)) read[name] = await executable.read(name);
    return read;
  } finally {
    executable.dispose();
    memory.dispose();
  }
}

/** Outputs of a program, and what it is given. */
export interface OpsProgram {
  readonly outputs: Outputs;
  readonly inputs: Inputs;
}

/** What is asked of an op besides its values. */
type Derivative = "tangents" | "gradients";

/**
 * An op's examples as the outputs of one program, each with its tangent along its own inputs, or with the gradients of its inputs,
 * where it has any, from a cotangent that is drawn.
 */
export function programOf(name: string, index: number, derivative: Derivative = "tangents"): OpsProgram {
  const draw = new Draw(index);
  const outputs: Record<string, Tensor> = {};
  const inputs: Record<string, HostArray> = {};
  for (const [i, example] of examplesOf(name, exportedOps[name], draw).entries()) {
    const feed = (at: number | string, { shape, dtype, data }: Drawn) => {
      inputs[`${i}.${at}`] = dtype === "i32" ? Int32Array.from(data) : Float32Array.from(data);
      return ops.input(`${i}.${at}`, shape, dtype);
    };
    const given = example.inputs.map((each, at) => feed(at, each));
    const y = example.call(...given);
    outputs[`example ${i}`] = y;
    const moving = given.filter(({ dtype }) => dtype === "f32");
    if (y.dtype !== "f32" || moving.length === 0) continue;
    if (derivative === "gradients") {
      for (const [at, each] of gradientsOf(y, moving, () => feed("dy", draw.normal(y.shape))).entries())
        outputs[`gradient ${at} of example ${i}`] = each;
      continue;
    }
    const along = moving.map((x) => [x, ops.mul(x, 0.5)] as const);
    [outputs[`tangent ${i}`]] = jvp([y], along);
  }
  return { outputs, inputs };
}

/** None for an op whose derivative is a kernel of its own, and has none. */
function gradientsOf(y: Tensor, moving: readonly Tensor[], cotangent: () => Tensor): readonly Tensor[] {
  try {
    // Traced with a constant first: an input that nothing reads would be in the way.
    grad(y, moving, ops.constant(0, "f32", y.shape));
  } catch (error) {
    if (error instanceof OnestepError && error.code === "E_NOT_DIFFERENTIABLE") return [];
    throw error;
  }
  return grad(y, moving, cotangent());
}

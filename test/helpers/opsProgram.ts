import { jvp, program } from "../../core/graph/mod.ts";
import type { Backend, HostArray } from "../../core/interfaces/mod.ts";
import * as ops from "../../core/ops/mod.ts";
import type { Tensor } from "../../core/tensor/mod.ts";
import { Draw, examplesOf, exportedOps } from "./ops.ts";

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

/** An op's examples as the outputs of one program, each with its tangent along its own inputs. */
export function programOf(name: string, index: number): { outputs: Outputs; inputs: Inputs } {
  const outputs: Record<string, Tensor> = {};
  const inputs: Record<string, HostArray> = {};
  for (const [i, example] of examplesOf(name, exportedOps[name], new Draw(index)).entries()) {
    const given = example.inputs.map(({ shape, dtype, data }, at) => {
      inputs[`${i}.${at}`] = dtype === "i32" ? Int32Array.from(data) : Float32Array.from(data);
      return ops.input(`${i}.${at}`, shape, dtype);
    });
    const y = example.call(...given);
    outputs[`example ${i}`] = y;
    const moving = given.filter(({ dtype }) => dtype === "f32");
    if (y.dtype !== "f32" || moving.length === 0) continue;
    const along = moving.map((x) => [x, ops.mul(x, 0.5)] as const);
    [outputs[`tangent ${i}`]] = jvp([y], along);
  }
  return { outputs, inputs };
}

import { program } from "../../../core/graph/mod.ts";
import type { Backend } from "../../../core/interfaces/backend.ts";
import { Scope } from "../../../core/nn/mod.ts";
import { input, state } from "../../../core/ops/mod.ts";
import { sizeOf } from "../../../core/tensor/shape.ts";
import { inceptionNetwork } from "../../../plugins/extractors/inception.ts";
import { hashUniform } from "../data.ts";
import type { Prepared } from "../serve.ts";

/** Pooled features of pictures [50, 3, 32, 32], as `fid` computes them: bilinear to 299 pixels, batch norms folded. */
export async function inception(backend: Backend): Promise<Prepared> {
  const B = 50;
  const memory = backend.createMemory();
  // Weights of ±√(6 / inputs) keep the size of what passes through; the order of the layers seeds them.
  let seed = 2000;
  const scope = new Scope((name, shape) => {
    const size = sizeOf(shape);
    const bound = shape.length > 1 ? Math.sqrt(6 / (size / shape[0])) : 0.1;
    memory.allocate(name, size);
    const data = hashUniform(seed++, size);
    memory.write(
      name,
      data.map((value) => value * bound),
    );
    return state(name, [...shape]);
  });
  const { pool3 } = inceptionNetwork(scope, "pytorch").features(input("x", [B, 3, 32, 32]));
  const executable = await backend.compile(program({ name: "inception", outputs: { pool3 } }), memory);
  const x = hashUniform(1, B * 3 * 32 * 32);
  return {
    async call() {
      await executable.run({ x });
      await executable.read("pool3");
    },
    release() {
      executable.dispose();
      memory.dispose();
    },
  };
}

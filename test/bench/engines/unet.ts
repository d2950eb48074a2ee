import { grad, type Program, program } from "../../../core/graph/mod.ts";
import type { Backend, Memory } from "../../../core/interfaces/backend.ts";
import {
  arenaName,
  BoundParameters,
  conv,
  groupNorm,
  layoutOf,
  linear,
  packArenas,
  type Scope,
  selfAttention,
} from "../../../core/nn/mod.ts";
import {
  add,
  concat,
  input,
  mean,
  pack,
  reshape,
  silu,
  square,
  state,
  sub,
  upsampleNearest,
} from "../../../core/ops/mod.ts";
import { adam } from "../../../core/optim/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { BATCH, benchBatch, benchParameters, EMBEDDING, GROUPS, HEADS, type Parameter } from "../data.ts";
import type { Prepared } from "../serve.ts";
import type { AdamInput } from "./adamInput.ts";

/** The bench U-Net of our own layers. x [32, 3, 16, 16], embedding [32, 32] → [32, 3, 16, 16]. */
function unet(scope: Scope, x: Tensor, embedding: Tensor): Tensor {
  const act = (name: string, h: Tensor) => groupNorm(scope.at(name), h, GROUPS, 1e-5, { activation: "silu" });
  const e = silu(linear(scope.at("t2"), silu(linear(scope.at("t1"), embedding, EMBEDDING)), EMBEDDING));
  const block = (name: string, h: Tensor, channels: number) => {
    const shift = reshape(linear(scope.at(`${name}.emb`), e, channels), [BATCH, channels, 1, 1]);
    let y = add(conv(scope.at(`${name}.c1`), act(`${name}.gn1`, h), channels), shift);
    y = conv(scope.at(`${name}.c2`), act(`${name}.gn2`, y), channels);
    const same = h.shape[1] === channels;
    return add(y, same ? h : conv(scope.at(`${name}.sk`), h, channels, { kernel: 1 }));
  };
  const h0 = conv(scope.at("in"), x, 32);
  const h1 = block("d0a", h0, 32);
  const h2 = block("d0b", h1, 32);
  const h3 = block("d1a", conv(scope.at("down"), h2, 32, { stride: 2 }), 64);
  const h4 = block("d1b", h3, 64);
  let h = selfAttention(scope.at("at"), block("m1", h4, 64), HEADS, GROUPS);
  h = block("m2", h, 64);
  h = block("u1a", concat([h, h4], 1), 64);
  h = block("u1b", concat([h, h3], 1), 64);
  h = conv(scope.at("up"), upsampleNearest(h, { factor: 2 }), 64);
  h = block("u0a", concat([h, h2], 1), 32);
  h = block("u0b", concat([h, h1], 1), 32);
  return conv(scope.at("out"), act("out.gn", h), 3);
}

const images = (name: string) => input(name, [BATCH, 3, 16, 16]);
const levels = () => input("embedding", [BATCH, 32]);

/** The parameters under the names of our layers; the attention's projections become 1 x 1 convolutions. */
function ourParameters(): Record<string, Parameter> {
  const renamed = Object.entries(benchParameters()).map(([name, parameter]) => {
    const own = name
      .replace(/\.[wg]$/, ".weight")
      .replace(/\.b$/, ".bias")
      .replace("at.gn.", "at.norm2.")
      .replace("at.o.", "at.proj.");
    if (name.startsWith("at.qkv.")) return [own, byHead(parameter)];
    if (name === "at.o.w") return [own, { ...parameter, shape: [64, 64, 1, 1] }];
    return [own, parameter];
  });
  return Object.fromEntries(renamed);
}

/** Rows ordered [q, k, v][head][d] → [head][d][q, k, v], which is how `selfAttention` reads them. */
function byHead({ shape, data }: Parameter): Parameter {
  const [rows, columns = 1] = shape;
  const d = rows / 3 / HEADS;
  const moved = new Float32Array(data.length);
  for (let part = 0; part < 3; part++)
    for (let i = 0; i < HEADS * d; i++) {
      const from = (part * HEADS * d + i) * columns;
      moved.set(data.subarray(from, from + columns), (i * 3 + part) * columns);
    }
  return { shape: shape.length === 2 ? [rows, columns, 1, 1] : shape, data: moved };
}

/** The network with its weights on the device, in one flat tensor, and `moments` like it. */
function placed(backend: Backend, moments: readonly string[] = []) {
  const layout = layoutOf((scope) => unet(scope, images("x"), levels()));
  const parameters = new BoundParameters("weights", layout);
  const memory: Memory = backend.createMemory();
  const [size] = layout.arenas;
  for (const owner of ["weights", ...moments]) memory.allocate(arenaName(owner, 0), size);
  memory.write(arenaName("weights", 0), packArenas(layout, ourParameters())[0]);
  return { layout, parameters, memory, size };
}

export async function unetForward(backend: Backend): Promise<Prepared> {
  const { parameters, memory } = placed(backend);
  const y = unet(parameters.scope, images("x"), levels());
  const { x, embedding } = benchBatch();
  return repeated(backend, memory, program({ name: "unet forward", outputs: { y } }), () => ({
    x,
    embedding,
  }));
}

/** Forward, mean square, backward and Adam. */
export async function unetStep(backend: Backend, { scalars, valuesAt }: AdamInput): Promise<Prepared> {
  const { layout, parameters, memory, size } = placed(backend, ["m", "v"]);
  const loss = mean(square(sub(unet(parameters.scope, images("x"), levels()), images("y"))));
  const gradient = pack(
    grad(loss, parameters.tensors),
    layout.entries.map(({ offset }) => offset),
    size,
  );
  const [weights] = parameters.arenas;
  const [moment1, moment2] = ["m", "v"].map((name) => state(arenaName(name, 0), [size]));
  const next = adam({ weights, gradient, moment1, moment2, scalars });
  const updates: [Tensor, Tensor][] = [
    [weights, next.weights],
    [moment1, next.moment1],
    [moment2, next.moment2],
  ];
  const batch = benchBatch();
  return repeated(
    backend,
    memory,
    program({ name: "unet step", outputs: { loss }, updates }),
    (n) => ({ ...batch, adam: valuesAt(n) }),
    "loss",
  );
}

async function repeated(
  backend: Backend,
  memory: Memory,
  what: Program,
  inputs: (n: number) => Record<string, Float32Array>,
  output?: string,
): Promise<Prepared> {
  const executable = await backend.compile(what, memory);
  let calls = 0;
  return {
    async call() {
      await executable.run(inputs(calls++));
      await backend.finish();
    },
    callAndRead:
      output === undefined
        ? undefined
        : async () => {
            await executable.run(inputs(calls++));
            return (await executable.read(output))[0];
          },
    release() {
      executable.dispose();
      memory.dispose();
    },
  };
}

import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { WebGpuBackend } from "../../../backends/webgpu/mod.ts";
import { grad, program } from "../../../core/graph/mod.ts";
import type { Backend, HostArray, Memory } from "../../../core/interfaces/backend.ts";
import * as ops from "../../../core/ops/mod.ts";
import { adam } from "../../../core/optim/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { hashUniform } from "../data.ts";
import { GpuCounters } from "../gpuCounters.ts";
import { type Counters, type Engine, type Prepared, serve } from "../serve.ts";
import { adamInput } from "./adamInput.ts";
import { dmd2Forward, dmd2Iteration } from "./dmd2.ts";
import { frechet } from "./frechet.ts";
import { inception } from "./inception.ts";
import { unetForward, unetStep } from "./unet.ts";

const [device, threads] = process.argv.slice(2);
await serve(device === "wasm" ? await wasm() : await webgpu());

async function webgpu(): Promise<Engine> {
  const backend = await WebGpuBackend.open();
  const counted = new GpuCounters(classesOf(backend.device));
  return {
    about: `onestep on WebGPU: ${backend.info.name}`,
    cases: casesOn(backend),
    counters: () => counted.counters(),
    forgetPeak: () => counted.forgetPeak(),
  };
}

async function wasm(): Promise<Engine> {
  const backend = await WasmBackend.open({ threads: Number(threads), wide: true });
  let [steps, peak] = [0, 0];
  // Steps of the plan stand for dispatches; all memory is allocated when a program is compiled.
  const compile = backend.compile.bind(backend);
  backend.compile = async (source, memory) => {
    const executable = await compile(source, memory);
    const run = executable.run.bind(executable);
    executable.run = (inputs) => {
      steps += source.plan.steps.length;
      peak = Math.max(peak, backend.liveBytes);
      return run(inputs);
    };
    return executable;
  };
  return {
    about: `onestep on wasm: ${backend.info.name}`,
    cases: { ...casesOn(backend), "frechet 2048": () => frechet(10_000, 2048) },
    counters: (): Counters => ({
      dispatches: steps,
      submits: null,
      bindGroups: null,
      buffers: 0,
      peakBytes: peak,
    }),
    forgetPeak: () => {
      peak = 0;
    },
  };
}

/** The classes behind a device, wherever its driver was loaded from. */
function classesOf(device: GPUDevice) {
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  const buffer = device.createBuffer({ size: 16, usage: 8 });
  const classOf = (object: object) => ({ prototype: Object.getPrototypeOf(object) as object });
  const classes = {
    GPUDevice: classOf(device),
    GPUQueue: classOf(device.queue),
    GPUComputePassEncoder: classOf(pass),
    GPUBuffer: classOf(buffer),
  };
  pass.end();
  encoder.finish();
  buffer.destroy();
  return classes;
}

interface Traced {
  readonly outputs?: Record<string, Tensor>;
  readonly updates?: [Tensor, Tensor][];
  /** Of the n-th call, from 0. */
  readonly inputs?: (n: number) => Record<string, HostArray>;
}

function casesOn(backend: Backend): Engine["cases"] {
  /** A case whose operands stay on the device: states, by seed and shape. */
  const resident =
    (
      seeds: Readonly<Record<string, readonly [seed: number | "ones" | "zeros", number[]]>>,
      trace: (states: Record<string, Tensor>) => Traced,
    ) =>
    async (): Promise<Prepared> => {
      const memory: Memory = backend.createMemory();
      const states: Record<string, Tensor> = {};
      for (const [name, [seed, shape]] of Object.entries(seeds)) {
        const size = shape.reduce((a, b) => a * b, 1);
        states[name] = ops.state(name, shape);
        memory.allocate(name, size);
        if (typeof seed === "number") memory.write(name, hashUniform(seed, size));
        else if (seed === "ones") memory.write(name, new Float32Array(size).fill(1));
      }
      const { inputs = () => ({}), ...traced } = trace(states);
      const executable = await backend.compile(program({ name: "bench", ...traced }), memory);
      let calls = 0;
      return {
        async call() {
          await executable.run(inputs(calls++));
          await backend.finish();
        },
        release() {
          executable.dispose();
          memory.dispose();
        },
      };
    };

  /** y and the gradients of Σ y·dy: forward and backward, none of which can be left out. */
  const withBackward = (y: Tensor, dy: Tensor, of: Record<string, Tensor>): Traced => {
    const gradients = grad(ops.sum(ops.mul(y, dy)), Object.values(of));
    const named = Object.keys(of).map((name, i) => [`d${name}`, gradients[i]]);
    return { outputs: { y, ...Object.fromEntries(named) } };
  };

  const image = [16, 64, 32, 32];
  const conv = { x: [7, image], w: [9, [64, 64, 3, 3]], b: [10, [64]], dy: [14, image] } as const;
  const convolve = ({ x, w, b }: Record<string, Tensor>) =>
    ops.add(ops.conv2d(x, w, { padding: [1, 1] }), ops.reshape(b, [64, 1, 1]));
  const norm = { x: [7, image], g: ["ones", [64]], b: ["zeros", [64]], dy: [14, image] } as const;
  const normalise = ({ x, g, b }: Record<string, Tensor>) => ops.groupNorm(x, g, b, { groups: 8, activation: "silu" });
  const heads = [8, 4, 256, 32];
  const qkv = { q: [11, heads], k: [12, heads], v: [13, heads], dy: [14, heads] } as const;
  const without = <T extends object>({ dy: _, ...rest }: T & { dy: unknown }) =>
    rest as unknown as Parameters<typeof resident>[0];
  const fixed = (entries: object) => entries as Parameters<typeof resident>[0];

  const matmuls = [256, 512, 1024].map((n) => [
    `matmul ${n}`,
    resident({ a: [7, [n, n]], b: [8, [n, n]] }, ({ a, b }) => ({
      outputs: { c: ops.matmul(a, b) },
    })),
  ]);
  return {
    ...Object.fromEntries(matmuls),
    "conv forward": resident(without(conv), (s) => ({ outputs: { y: convolve(s) } })),
    "conv backward": resident(fixed(conv), ({ dy, ...s }) => withBackward(convolve(s), dy, s)),
    "groupnorm silu": resident(without(norm), (s) => ({ outputs: { y: normalise(s) } })),
    "groupnorm silu backward": resident(fixed(norm), ({ dy, ...s }) => withBackward(normalise(s), dy, s)),
    attention: resident(without(qkv), ({ q, k, v }) => ({
      outputs: { y: ops.attention(q, k, v) },
    })),
    "attention backward": resident(fixed(qkv), ({ dy, ...s }) => withBackward(ops.attention(s.q, s.k, s.v), dy, s)),
    elementwise: resident({ e: [7, [4 * 2 ** 20]] }, ({ e }) => {
      const gate = ops.sigmoid(ops.add(ops.mul(e, 1.1), 0.3));
      const y = ops.sqrt(ops.add(ops.square(ops.sub(ops.mul(gate, e), 0.1)), 1));
      return { outputs: { y } };
    }),
    "adam 5M": resident(
      {
        w: [7, [5_000_000]],
        g: [3, [5_000_000]],
        m: ["zeros", [5_000_000]],
        v: ["zeros", [5_000_000]],
      },
      ({ w, g, m, v }) => {
        const { scalars, valuesAt } = adamInput(1e-4);
        const next = adam({ weights: w, gradient: g, moment1: m, moment2: v, scalars });
        return {
          updates: [
            [w, next.weights],
            [m, next.moment1],
            [v, next.moment2],
          ],
          inputs: (n) => ({ adam: valuesAt(n) }),
        };
      },
    ),
    "unet forward": () => unetForward(backend),
    "unet step": () => unetStep(backend, adamInput(1e-3)),
    inception: () => inception(backend),
    "dmd2 forward": () => dmd2Forward(backend),
    "dmd2 iteration": () => dmd2Iteration(backend),
  };
}

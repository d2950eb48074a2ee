import { grad, program } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import * as optim from "../../../core/optim/mod.ts";
import { sizeOf, type Tensor } from "../../../core/tensor/mod.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import type { Settings } from "../settings.ts";

const PARAMETERS = ["W1", "b1", "W2", "b2"] as const;
const MOMENTS: Readonly<Record<string, readonly string[]>> = {
  Adam: ["m", "v"],
  AdamW: ["m", "v"],
  RAdam: ["m", "v"],
  SGD: ["m"],
};

/** One update rule of the `optimizers` file: its scalars on the host, and its update of the states. */
function updateRule({ optimizer, args }: Settings) {
  const [beta1, beta2] = args.betas ?? [0.9, 0.999];
  const adamOptions = {
    beta1,
    beta2,
    eps: args.eps,
    weightDecay: args.weight_decay ?? (optimizer === "AdamW" ? 0.01 : 0),
    decoupled: optimizer === "AdamW",
  };
  return {
    scalars(update: number, rate: number): Readonly<Record<string, number>> {
      if (optimizer === "SGD") return { rate };
      if (optimizer === "RAdam") return optim.radamScalars(update, rate, adamOptions);
      return optim.adamScalars(update, rate, adamOptions);
    },
    update(
      weights: Tensor,
      gradient: Tensor,
      [m, v]: Tensor[],
      // biome-ignore lint/suspicious/noExplicitAny: each rule has scalars of its own.
      scalars: any,
    ): [Tensor, ...Tensor[]] {
      if (optimizer === "SGD") {
        const next = optim.sgd(
          { weights, gradient, moment: m, scalars },
          { momentum: args.momentum, nesterov: args.nesterov, weightDecay: args.weight_decay },
        );
        return [next.weights, next.moment];
      }
      const rule = optimizer === "RAdam" ? optim.radam : optim.adam;
      const next = rule({ weights, gradient, moment1: m, moment2: v, scalars }, adamOptions);
      return [next.weights, next.moment1, next.moment2];
    },
  };
}

/** Trains the small regression of the `optimizers` file, 20 steps for every sub-case. */
export const optimizersKind: Kind = {
  name: "optimizers",
  matches: ({ file }) => file.startsWith("optimizers"),
  run: runOptimizers,
};

async function runOptimizers({ reference, backend, check, each }: Job): Promise<void> {
  await each(async (sub) => {
    const at = (name: string) => `${sub.id}.in.${name}`;
    const kept = MOMENTS[sub.optimizer];
    if (!kept) throw new Unsupported(`no optimizer ${sub.optimizer}`);
    const rule = updateRule(sub);
    const shapes = PARAMETERS.map((name) => reference.shape(at(name)));
    const offsets: number[] = [];
    let size = 0;
    for (const shape of shapes) {
      offsets.push(size);
      size += Math.ceil(sizeOf(shape) / 64) * 64; // bindings start at multiples of 256 bytes
    }
    const weights = ops.state("weights", [size]);
    const moments = kept.map((name) => ops.state(name, [size]));
    const views = shapes.map((shape, i) => ops.view(weights, { offset: offsets[i], shape }));
    const [W1, b1, W2, b2] = views;
    const [X, Y] = ["X", "Y"].map((name) => ops.input(name, reference.shape(at(name))));
    const y = ops.linear(ops.tanh(ops.linear(X, W1, b1)), W2, b2);
    const loss = ops.mul(ops.mean(ops.square(ops.sub(y, Y))), 10);
    const gradient = ops.pack(grad(loss, views), offsets, size);
    const { norm, scale } = optim.clip([gradient], sub.max_grad_norm ?? Infinity);
    const names = Object.keys(rule.scalars(0, 1));
    const flat = ops.input("scalars", [names.length]);
    const scalars = Object.fromEntries(names.map((name, offset) => [name, ops.view(flat, { offset, shape: [] })]));
    const next = rule.update(weights, ops.mul(gradient, scale), moments, scalars);
    const memory = backend.createMemory();
    for (const name of ["weights", ...kept]) memory.allocate(name, size);
    const start = new Float32Array(size);
    PARAMETERS.forEach((name, i) => {
      start.set(reference.f32(at(name)), offsets[i]);
    });
    memory.write("weights", start);
    const step = await backend.compile(
      program({
        name: `${sub.optimizer} ${sub.id}`,
        outputs: { loss, norm },
        updates: [weights, ...moments].map((old, i) => [old, next[i]] as const),
      }),
      memory,
    );
    const part = (values: ArrayLike<number>, i: number) =>
      Array.from(values).slice(offsets[i], offsets[i] + sizeOf(shapes[i]));
    const losses: number[] = [];
    const norms: number[] = [];
    const rateAt = optim.constantRate(sub.warmup);
    for (let k = 0; k < 20; k++) {
      const numbers = rule.scalars(k, sub.args.lr * rateAt(k));
      await step.run({
        X: reference.f32(at("X")),
        Y: reference.f32(at("Y")),
        scalars: Float32Array.from(Object.values(numbers)),
      });
      losses.push((await step.read("loss"))[0]);
      norms.push((await step.read("norm"))[0]);
      if (![1, 2, 20].includes(k + 1)) continue;
      const stored = await memory.read("weights");
      PARAMETERS.forEach((name, i) => {
        check(part(stored, i), `${sub.id}.out.${name}_step${k + 1}`);
      });
    }
    check(losses, `${sub.id}.out.loss`);
    check(norms, `${sub.id}.out.grad_norm`);
    for (const [moment, suffix] of [
      ["m", "exp_avg"],
      ["v", "exp_avg_sq"],
    ])
      for (const [i, name] of PARAMETERS.entries())
        if (reference.has(`${sub.id}.out.${name}_${suffix}`))
          check(part(await memory.read(moment), i), `${sub.id}.out.${name}_${suffix}`);
    step.dispose();
    memory.dispose();
  });
}

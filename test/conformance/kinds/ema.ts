import { program } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import * as optim from "../../../core/optim/mod.ts";
import { type Job, type Kind, Unsupported } from "../kind.ts";
import type { Settings } from "../settings.ts";

/** β of update number `update` in a sub-case of the `ema` file. */
function betaOf(sub: Settings, update: number): number {
  if (sub.kind === "constant") return sub.decay;
  if (sub.kind === "edm_halflife")
    return optim.halfLifeBeta(update, sub.batch_size, {
      emaHalfLife: sub.ema_halflife_kimg * 1000,
      rampUp: sub.ema_rampup_ratio ?? undefined,
    });
  if (sub.kind === "power") return optim.powerBeta(update, optim.powerGamma(sub.std));
  if (sub.kind === "ema_warmup")
    return optim.warmUpBeta(update, {
      inverseGamma: sub.inv_gamma,
      power: sub.power,
      min: sub.min_value,
      max: sub.max_value,
    });
  throw new Unsupported(`no average of kind ${sub.kind}`);
}

/** Averages the parameters of the `ema` file with every kind of β. */
export const emaKind: Kind = {
  name: "ema",
  matches: ({ file }) => file.startsWith("ema"),
  run: runEma,
};

async function runEma({ reference, backend, check, checkRatio, each }: Job): Promise<void> {
  const [rows, n] = reference.shape("in.params");
  const parameters = reference.f32("in.params");
  const row = (t: number) => parameters.slice(t * n, (t + 1) * n);
  const average = ops.state("average", [n]);
  const update = optim.ema(average, ops.input("parameters", [n]), ops.input("beta", []));
  await each(async (sub) => {
    // The exponent that the case lists follows from its `std`.
    if (sub.gamma) checkRatio(Math.abs(optim.powerGamma(sub.std) / sub.gamma - 1) / 1e-9, "gamma");
    const memory = backend.createMemory();
    memory.allocate("average", n);
    memory.write("average", row(0));
    const step = await backend.compile(program({ name: "ema", updates: [[average, update]] }), memory);
    const averages: number[] = [];
    const betas: number[] = [];
    for (let t = 1; t < rows; t++) {
      betas.push(betaOf(sub, t - 1));
      await step.run({ parameters: row(t), beta: Float32Array.of(betas[t - 1]) });
      averages.push(...(await memory.read("average")));
    }
    check(averages, `${sub.id}.out.ema`);
    check(betas, `${sub.id}.out.beta`);
    step.dispose();
    memory.dispose();
  });
}

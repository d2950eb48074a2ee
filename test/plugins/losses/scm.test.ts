import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type Denoiser, LOSSES, type LossContext } from "../../../core/interfaces/mod.ts";
import { add, mul } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { checkPlugin } from "../../../core/testing/mod.ts";
import { scmLoss } from "../../../plugins/losses/scm.ts";
import { mlp } from "../../../plugins/networks/mlp.ts";
import { compose, evaluate, Feed } from "../support.ts";

const test = suite("plugins/losses/scm");

const shape = { sample: [2], condition: {}, sigmaData: 0.5 };
type Options = Parameters<typeof scmLoss>[0];
const lossOf = (options: Options) => compose(shape, mlp(), scmLoss(options)).all(LOSSES)[0];

test("is a well-formed plugin", () => checkPlugin(scmLoss, { velocity: "data", warmUp: 0, prior: false }));

type Network = Denoiser & { logVariance?(sigma: Tensor): Tensor };
const flat = (sigma: Tensor) => mul(sigma, 0);
const origin: Network = { denoise: (x) => mul(x, 0), logVariance: flat };

/** The loss for data at the origin, where every path ends. */
async function computed(options: Options, generator: Network) {
  const feed = new Feed();
  const context = {
    real: { x: feed.tensor("x", [4, 2], new Float32Array(8)), condition: {} },
    role: (name: string) => (name === "teacher" ? origin : generator),
    noise: feed.noise(),
  } as unknown as LossContext;
  const { value } = await evaluate({ value: lossOf(options).compute(context) }, feed, "f64");
  return value[0];
}

test("the exact consistency function has tangent 0, however its derivative is found: what is left is λ", async () => {
  const wrong = { ...origin, denoise: (x: Tensor) => add(mul(x, 0.1), 0.1) };
  for (const options of [{}, { velocity: "data" }, { derivative: "differences", step: 1e-3 }] satisfies Options[]) {
    const whole = { ...options, warmUp: 0 };
    assert.ok(Math.abs(await computed(whole, origin)) < 1e-6, JSON.stringify(options));
    assert.ok((await computed(whole, wrong)) > 1e-3, JSON.stringify(options));
  }
  const half = { ...origin, logVariance: (sigma: Tensor) => add(flat(sigma), 0.5) };
  assert.ok(Math.abs((await computed({ warmUp: 0 }, half)) - 0.5) < 1e-6);
});

test("refuses a generator without a log-variance, and options that do not fit", () => {
  const bare = { real: {}, role: () => ({ denoise: origin.denoise }) } as unknown as LossContext;
  assert.throws(() => lossOf({}).compute(bare), /^Cannot use scm: the generator has no log-variance/);
  assert.throws(() => lossOf({ guidanceScale: 2, velocity: "data" }), /guidanceScale is given with velocity=data/);
  assert.throws(() => lossOf({ guidanceScale: 2 }), /^Cannot use scm: it is guided, and the data have neither/);
  assert.throws(() => lossOf({ sigmaMin: 2, sigmaMax: 1 }), /sigmaMin is 2 and sigmaMax 1/);
});

test.run();

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { NoiseSource } from "../../../../core/diffusion/mod.ts";
import { program } from "../../../../core/graph/mod.ts";
import { DATASET, type GeneratorNetwork, type HostArray, LOSSES, type Loss } from "../../../../core/interfaces/mod.ts";
import { ones, type Scope } from "../../../../core/nn/mod.ts";
import { add, input, mean, mul, square, sum, toFloat } from "../../../../core/ops/mod.ts";
import { keyOf } from "../../../../core/random/philox.ts";
import { sizeOf } from "../../../../core/tensor/shape.ts";
import { Player, type Trainer, type TurnProgram, turnProgram } from "../../../../core/train/mod.ts";
import { HALTED } from "../../../../core/train/update/verdict.ts";
import { thrown } from "../../../helpers/thrown.ts";
import { beginAll, stageOf, tinyTrainer } from "../support.ts";

const test = suite("core/train/turnProgram");

/** Without the GAN. */
const quiet = { "gan-generator": false, "gan-discriminator": false };

/** Who takes a turn; images are made in it unless the step keeps some. */
type Who = "teacher" | "generator" | "critic";
const STREAMS = { teacher: 1, generator: 2, critic: 3 } as const;

/** The parts of a run at its start, and a way to carry out single updates. */
async function parts(over: object = {}, extra: readonly Loss[] = []) {
  const { trainer, container, backend } = await tinyTrainer({ ...over, train: { batch: 4 } });
  const dataset = container.get(DATASET);
  await beginAll(trainer);
  const { players, memory } = trainer;
  memory.allocate(HALTED, 1);
  const losses = [...container.all(LOSSES), ...extra];
  const stages = {
    teacher: { ...stageOf(trainer, "teacher"), batch: 4 },
    distillation: stageOf(trainer, "distillation"),
  };

  const trace = (role: Who, images: "made" | "kept" = "made"): TurnProgram =>
    turnProgram({
      turn: { role, images, keeps: role === "generator" },
      stage: stages[role === "teacher" ? "teacher" : "distillation"],
      players,
      maker: "generator",
      losses,
      data: dataset.shape,
      stream: (images === "kept" ? 4 : STREAMS[role]) * 2 ** 20,
    });
  const states = async () => {
    const values: Record<string, HostArray> = {};
    for (const name of memory.names()) values[name] = await memory.read(name);
    return values;
  };
  const update = async (role: Who, images: "made" | "kept" = "made", step = 0) => {
    const traced = trace(role, images);
    const run = await backend.compile(traced.program, memory);
    const real = await dataset.batch(4, () => 0.3);
    await run.run({
      key: keyOf(0, step),
      scalars: traced.scalars.encode({
        ...players[role].optimizer!.scalars({ update: 0, step: 100, steps: 200 }),
        keep: 0.5,
        ...Object.fromEntries(losses.map(({ name, weight }) => [`weight of ${name}`, weight])),
      }),
      "real.x": real.x,
      ...(real.condition.label && { "real.label": real.condition.label }),
    });
    const outputs: Record<string, number> = {};
    for (const name of traced.outputs) outputs[name] = (await run.read(name))[0];
    return outputs;
  };
  return { backend, container, players, memory, trace, update, states };
}

/** Names of the states that differ. */
const changed = (before: Record<string, HostArray>, after: Record<string, HostArray>) =>
  Object.keys(after).filter((name) => `${before[name]}` !== `${after[name]}`);

for (const [role, others] of [
  ["teacher", []],
  ["generator", ["generated.x"]],
  ["critic", []],
] as const) {
  test(`turnProgram: an update of the ${role} changes the ${role} and nothing else`, async () => {
    const { update, states } = await parts();
    const before = await states();
    await update(role);
    const after = await states();
    const own = Object.keys(after).filter((name) => name.startsWith(`${role}.`));
    assert.equal(changed(before, after).sort(), [...own, ...others].sort());
  });
}

test("turnProgram: the generator's images carry a gradient, the critic's don't", async () => {
  const pull = (role: Loss["role"]): Loss => ({
    name: `pull ${role}`,
    role,
    weight: 1,
    compute: ({ generated }) => mean(square(generated.x)),
  });
  const only = { ...quiet, "distribution-matching": false, "fake-score": false };
  const { update } = await parts({ losses: only }, [pull("generator"), pull("critic")]);
  const generator = await update("generator");
  assert.ok(generator["gradient-norm"] > 1e-3);
  const critic = await update("critic");
  assert.is(critic["gradient-norm"], 0);
  assert.ok(critic["pull critic"] > 0);
});

test("turnProgram: the critic's turn on kept images sees the generator's images of before its update", async () => {
  const watch: Loss = {
    name: "watch",
    role: "critic",
    weight: 1,
    compute: ({ generated: { x, condition } }) =>
      add(sum(mul(x, input("probe", [4, 2]))), mul(sum(toFloat(condition.label!)), 100)),
  };
  const { players, memory, update, backend, states, trace } = await parts(
    { dataset: { use: "sides" }, losses: { ...quiet } },
    [watch],
  );
  // What the generator makes of the noise of this turn, with the weights it has now.
  const noise = new NoiseSource(input("key", [3], "i32"), 2 * 2 ** 20);
  const label = noise.integers(4, 0, 2);
  const { network } = players.generator.bind("weights");
  const x = (network as GeneratorNetwork).generate(4, { label }, noise);
  const run = await backend.compile(program({ name: "expected", outputs: { x, label } }), memory);
  await run.run({ key: keyOf(0, 7) });
  const expected = { x: await run.read("x"), label: await run.read("label") };

  await update("generator", "made", 7);
  const stored = await states();
  assert.equal(stored["generated.x"], expected.x);
  assert.equal(stored["generated.label"], expected.label);

  const traced = trace("critic", "kept");
  const turn = await backend.compile(traced.program, memory);
  const probe = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  await turn.run({
    key: keyOf(0, 7),
    probe,
    scalars: traced.scalars.encode({
      ...players.critic.optimizer!.scalars({ update: 0, step: 0, steps: 1 }),
      "weight of fake-score": 1,
      "weight of watch": 1,
    }),
  });
  const labels = [...expected.label].reduce((total, value) => total + value, 0);
  const seen = [...expected.x].reduce((total, value, i) => total + value * probe[i], 0);
  const value = (await turn.read("watch"))[0];
  assert.ok(Math.abs(value - seen - 100 * labels) < 1e-4, `${value} is not ${seen} + 100·${labels}`);
  assert.equal((await states())["generated.x"], expected.x, "and leaves them as they are");
});

test("turnProgram: roles and turns draw different noise at the same step", async () => {
  const noisy = (role: Loss["role"]): Loss => ({
    name: "noisy",
    role,
    weight: 1,
    compute: ({ noise }) => sum(noise.normal([1])),
  });
  const { update } = await parts({}, [noisy("teacher"), noisy("generator"), noisy("critic")]);
  const draws = [
    (await update("teacher")).noisy,
    (await update("generator")).noisy,
    (await update("critic", "made")).noisy,
    (await update("critic", "kept")).noisy,
    (await update("critic", "kept", 1)).noisy,
  ];
  assert.is(new Set(draws).size, 5);
});

test("turnProgram: a loss of weight 0 leaves no node and no upload", async () => {
  const off = (await parts({ losses: { "gan-discriminator": { weight: 0 } } })).trace("critic");
  const without = (await parts({ losses: { "gan-discriminator": false } })).trace("critic");
  const on = (await parts()).trace("critic");
  assert.equal(off.outputs, ["fake-score", "gradient-norm"]);
  assert.is(off.program.nodes.length, without.program.nodes.length);
  assert.equal([...off.reads], []);
  assert.equal([...on.reads], ["real"]);
  assert.ok(on.program.nodes.length > off.program.nodes.length);
});

test("turnProgram: a loss that is no number is refused by name and shape", async () => {
  const { trace } = await parts({ losses: { mine: { use: "pair" } } });
  const error = thrown(() => trace("generator"));
  assert.is(error.code, "E_SHAPE");
  assert.is(error.message, "Cannot use loss mine: its compute returns a tensor of shape [4, 2], expected one number");
});

test("turnProgram: a loss of one element of any rank will do", async () => {
  const boxed: Loss = {
    name: "boxed",
    role: "generator",
    weight: 1,
    compute: ({ generated }) => mean(generated.x, { axes: [0, 1], keepDims: true }),
  };
  const { update } = await parts({}, [boxed]);
  assert.ok(Number.isFinite((await update("generator")).boxed));
});

test("turnProgram: says what is missing", async () => {
  const message = async (over: object, role: Who) => {
    const { trace } = await parts(over);
    const error = thrown(() => trace(role));
    assert.is(error.code, "E_CONFIG");
    return error.message;
  };
  assert.is(
    await message({ optimizers: { critic: false } }, "critic"),
    'Cannot train the critic: no optimizer has role "critic"',
  );
  assert.is(
    await message({ losses: { ...quiet, "fake-score": false } }, "critic"),
    "Cannot train the critic: it has no loss, expected at least one",
  );
  for (const [role, who] of [
    ["generator", "the loss distribution-matching asks for the role critic"],
    ["critic", "there is no critic"],
  ] as const)
    assert.is(
      await message({ critic: false, losses: quiet }, role),
      `Cannot train: ${who}, the stage has teacher, generator`,
    );
});

test("turnProgram: optimiser, clipping and average are one step over each flat tensor", async () => {
  const { trace, players } = await parts();
  for (const role of ["teacher", "generator", "critic"] as const) {
    const { plan } = trace(role).program;
    const states = new Set(
      [...plan.buffers.entries()].flatMap(([i, { kind, name }]) =>
        kind === "state" && name.startsWith(`${role}.`) ? [i] : [],
      ),
    );
    assert.is(states.size, players[role].average ? 4 : 3);
    const writers = plan.steps.filter((step) =>
      step.kind === "copy"
        ? states.has(step.to.buffer)
        : (step.kind === "kernel" ? [step.node] : step.outputs).some((node) =>
            states.has(plan.places.get(node)!.buffer),
          ),
    );
    assert.equal(
      writers.map(({ kind }) => kind),
      ["elementwise"],
      role,
    );
  }
});

test("turnProgram: two flat tensors, two steps, one norm", () => {
  // Traced only: 160 MiB of parameters that nobody allocates.
  const million = 2 ** 20;
  const memory = {
    ...new ReferenceBackend().createMemory(),
    allocate() {},
  } as unknown as ReturnType<ReferenceBackend["createMemory"]>;
  const bind = (scope: Scope) => ({
    denoise: () =>
      ["a", "b"].map((name) => sum(square(scope.parameter(name, [20, million], ones)))).reduce((a, b) => add(a, b)),
  });
  const plain = {
    role: "teacher",
    clip: 1,
    moments: [],
    scalars: () => ({ rate: 1 }),
    update: (weights: ReturnType<typeof input>, gradient: typeof weights) => ({
      weights: add(weights, mul(gradient, -1)),
      moments: {},
    }),
  } as const;
  const teacher = new Player("teacher", { bind, declare: (scope) => void bind(scope).denoise() }, memory, {
    optimizer: plain,
  });
  assert.is(teacher.layout.arenas.length, 2);
  const loss: Loss = {
    name: "size",
    role: "teacher",
    weight: 1,
    compute: ({ teacher: network, noise }) => network.denoise(noise.normal([1]), noise.normal([1]), {}),
  };
  const data = { sample: [1], condition: {}, sigmaData: 1 };
  const { program: traced } = turnProgram({
    turn: { role: "teacher" },
    stage: { name: "teacher", steps: 1, batch: 1, cycle: [[{ role: "teacher" }]] },
    players: { teacher },
    losses: [loss],
    data,
    stream: 0,
  });
  const updated = [...traced.updates.keys()].map((state) => state.attrs.name);
  assert.equal(updated, ["teacher.weights.0", "teacher.weights.1", "halted"]);
});

test("turnProgram: a gradient longer than clip is shortened to it, and its true norm reported", async () => {
  const norm = (values: HostArray) => Math.hypot(...values);
  const optimizers = (clip: number) => ({ optimizers: { critic: { clip, beta1: 0 } } });
  const free = await parts(optimizers(0));
  const clipped = await parts(optimizers(0.01));
  const [a, b] = [await free.update("critic"), await clipped.update("critic")];
  assert.ok(a["gradient-norm"] > 0.05, `norm ${a["gradient-norm"]}`);
  assert.is(b["gradient-norm"], a["gradient-norm"], "reported before clipping");
  // With β₁ = 0 the first moment is the gradient that the optimiser got.
  const whole = norm(await free.memory.read("critic.moment1.0"));
  const short = norm(await clipped.memory.read("critic.moment1.0"));
  assert.ok(Math.abs(whole / a["gradient-norm"] - 1) < 1e-5, `${whole}`);
  assert.ok(Math.abs(short / 0.01 - 1) < 1e-3, `${short}`);
  const generous = await parts(optimizers(1e6));
  await generous.update("critic");
  assert.equal(await generous.memory.read("critic.moment1.0"), await free.memory.read("critic.moment1.0"));
});

test("turnProgram: groups of parameters can be clipped apart, in one piece and in parts", async () => {
  const norms = async (clipApart: string[], accumulate = 1) => {
    const made = await distilled({
      optimizers: { critic: { clip: 1e-3, beta1: 0, clipApart } },
      losses: { "gan-discriminator": { weight: 10 } },
      train: { steps: 1, batch: 4, accumulate },
    });
    const critic = made.players.critic;
    const moment = (await made.memory.read("critic.moment1.0")) as Float32Array;
    const part = (inGroup: boolean) =>
      Math.hypot(
        ...critic.layout.entries
          .filter(({ name }) => name.startsWith("cls_pred_branch.") === inGroup)
          .flatMap(({ offset, shape }) => [...moment.slice(offset, offset + sizeOf(shape))]),
      );
    return { head: part(true), body: part(false) };
  };
  const together = await norms([]);
  assert.ok(Math.abs(Math.hypot(together.head, together.body) / 1e-3 - 1) < 1e-2);
  for (const parts of [1, 2]) {
    const { head, body } = await norms(["cls_pred_branch."], parts);
    assert.ok(Math.abs(head / 1e-3 - 1) < 1e-2, `${head}`);
    assert.ok(Math.abs(body / 1e-3 - 1) < 1e-2, `${body}`);
  }
});

/** A trainer of the tiny experiment after one stage of distillation. */
async function distilled(over: object): Promise<Trainer> {
  const { trainer } = await tinyTrainer(over);
  await beginAll(trainer);
  await trainer.train(stageOf(trainer, "distillation"));
  return trainer;
}

test("turnProgram: parameters that no loss uses stay as they are", async () => {
  const { update, players, memory } = await parts({
    losses: quiet,
    optimizers: { critic: { weightDecay: 0 } },
  });
  const before = await players.critic.read("weights");
  await update("critic");
  const after = await players.critic.read("weights");
  const moments = await memory.read("critic.moment1.0");
  for (const { name, offset, shape } of players.critic.layout.entries) {
    const size = shape.reduce((a, b) => a * b, 1);
    const still = moments.subarray(offset, offset + size).every((value) => value === 0);
    const unused = name.startsWith("cls_pred_branch.");
    assert.is(still, unused, name);
    if (unused) assert.equal(after[name], before[name], name);
    else assert.not.equal(after[name], before[name], name);
  }
});

test("turnProgram: frozen teachers are used through their average", async () => {
  const { trace } = await parts();
  const statesOf = (role: Who) =>
    new Set(trace(role).program.nodes.flatMap(({ attrs }) => (attrs.name as string) ?? []));
  assert.ok(statesOf("generator").has("teacher.average.0"));
  assert.not(statesOf("generator").has("teacher.weights.0"));
  assert.ok(statesOf("critic").has("generator.weights.0"), "the critic follows what is trained");
  assert.not(statesOf("critic").has("generator.average.0"));
});

test.run();

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { grad, program } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";

const test = suite("core/graph/program");

test("an Adam-like update of three states becomes one elementwise step, in place", () => {
  const [p, m, g] = ["p", "m", "g"].map((name) => ops.state(name, [100]));
  const scalars = ops.input("scalars", [2]);
  const rate = ops.view(scalars, { offset: 0, shape: [] });
  const newM = ops.add(ops.mul(m, 0.9), ops.mul(g, 0.1));
  const newP = ops.sub(p, ops.mul(rate, newM));
  const { plan } = program({
    name: "adam",
    updates: [
      [p, newP],
      [m, newM],
    ],
  });
  assert.equal(
    plan.steps.map((step) => step.kind),
    ["elementwise"],
  );
  assert.equal(plan.buffers.filter((b) => b.kind === "scratch").length, 0);
});

test("a linear layer with its gradients runs on the reference backend", async () => {
  const backend = new ReferenceBackend();
  const memory = backend.createMemory();
  memory.allocate("theta", 64 + 3);
  const theta = ops.state("theta", [67]);
  const weight = ops.view(theta, { offset: 0, shape: [3, 4] });
  const bias = ops.view(theta, { offset: 64, shape: [3] });
  const x = ops.input("x", [5, 4]);
  const y = ops.add(ops.matmul(x, weight, { transB: true }), bias);
  const loss = ops.mean(ops.square(ops.sub(y, 1)));
  const gradients = ops.pack(grad(loss, [weight, bias]), [0, 64], 67);
  const step = program({
    name: "step",
    outputs: { loss },
    updates: [[theta, ops.sub(theta, ops.mul(gradients, 0.1))]],
  });
  const run = await backend.compile(step, memory);
  const data = Float32Array.from({ length: 20 }, (_, i) => Math.sin(i));
  const losses: number[] = [];
  for (let i = 0; i < 50; i++) {
    await run.run({ x: data });
    losses.push((await run.read("loss"))[0]);
  }
  assert.is(losses[0], 1);
  assert.ok(losses[49] < 1e-2, `loss ${losses[49]}`);
  // gaps between parameters stay zero
  const stored = await memory.read("theta");
  assert.ok(stored.slice(12, 64).every((value) => value === 0));
  // both gradients are written into the pack by their own kernels
  assert.is(step.plan.steps.filter((s) => s.kind === "copy").length, 0);
});

test.run();

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { blockOf, grad, type Program, program } from "../../../core/graph/mod.ts";
import type { Backend } from "../../../core/interfaces/backend.ts";
import * as ops from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { admStep } from "../../helpers/admStep.ts";
import { Draw } from "../../helpers/ops.ts";

const test = suite("core/graph/block");
const modes = ["none", "blocks"] as const;
const B = 4;
const x = () => ops.input("x", [B, 6]);
const weights = Array.from({ length: 4 }, (_, i) => ops.input(`w${i}`, [6, 6]));
const key = () => ops.input("key", [3], "i32");

const layer = (h: Tensor, w: Tensor, stream: number): Tensor =>
  ops.add(h, ops.dropout(ops.silu(ops.matmul(h, w)), key(), { p: 0.5, stream }));
/** Four layers with dropout; every `each` of them are a block. */
function network(h: Tensor, mark: (compute: () => Tensor) => Tensor): Tensor {
  return weights.reduce((from, w, stream) => mark(() => layer(from, w, stream)), h);
}
const lossOf = (y: Tensor) => ops.sum(ops.square(ops.softmax(y)));

const draw = new Draw(1);
const values = {
  x: Float32Array.from(draw.normal([B, 6]).data),
  key: Int32Array.of(3, 4, 5),
  ...Object.fromEntries(weights.map((_, i) => [`w${i}`, Float32Array.from(draw.normal([6, 6]).data)])),
};

async function run(compiled: Program, backend: Backend): Promise<number[][]> {
  const executable = await backend.compile(compiled, backend.createMemory());
  const asked = [...compiled.nodes].filter(({ op }) => op === ops.sources.input);
  const inputs = asked.map(({ attrs: { name } }) => [name, values[name as keyof typeof values]]);
  await executable.run(Object.fromEntries(inputs));
  return Promise.all([...compiled.outputs.keys()].map(async (name) => Array.from(await executable.read(name))));
}

/** The gradients of one loss without and with recomputation. */
const gradientPrograms = (loss: () => Tensor, wrt: readonly Tensor[]): Program[] =>
  modes.map((recompute) => {
    const gradients = grad(loss(), wrt, undefined, { recompute });
    return program({
      name: recompute,
      outputs: Object.fromEntries(gradients.map((gradient, i) => [`g${i}`, gradient])),
    });
  });

test("gradients have the same bits, random draws included", async () => {
  const from = x();
  const marks = [
    blockOf,
    (compute: () => Tensor) => blockOf(() => blockOf(compute)),
    (compute: () => Tensor) =>
      ops.mul(
        blockOf(() => ops.tanh(blockOf(compute))),
        2,
      ),
  ];
  for (const mark of marks) {
    const pair = gradientPrograms(() => lossOf(network(from, mark)), [from, ...weights]);
    assert.ok(pair[1].nodes.length > pair[0].nodes.length, "nothing is repeated");
    const backend = new ReferenceBackend();
    const [kept, repeated] = await Promise.all(pair.map((each) => run(each, backend)));
    assert.ok(kept.flat().some((value) => value !== 0));
    assert.equal(repeated, kept);
  }
});

test("what a block shares with the outside has one gradient", async () => {
  const from = x();
  const loss = () => {
    let leaked = from;
    const y = blockOf(() => {
      leaked = ops.exp(ops.mul(from, 0.1));
      return ops.matmul(leaked, weights[0]);
    });
    return lossOf(ops.add(ops.add(y, leaked), from));
  };
  const [kept, repeated] = await Promise.all(
    gradientPrograms(loss, [from, weights[0]]).map((each) => run(each, new ReferenceBackend())),
  );
  assert.equal(repeated, kept);
});

test("second derivatives pass through repeated blocks", async () => {
  const from = x();
  const of = (recompute: "none" | "blocks") => {
    const [first] = grad(lossOf(network(from, blockOf)), [from], undefined, { recompute });
    return grad(ops.sum(ops.square(first)), weights, undefined, { recompute });
  };
  const results = await Promise.all(
    modes.map((recompute) => {
      const outputs = Object.fromEntries(of(recompute).map((g, i) => [`g${i}`, g]));
      return run(program({ name: "second", outputs }), new ReferenceBackend("f64"));
    }),
  );
  results[0].flat().forEach((value, i) => {
    assert.ok(Math.abs(value - results[1].flat()[i]) <= 1e-12 * Math.max(1, Math.abs(value)));
  });
});

test("a block is repeated after the gradient of its result, and then given up", () => {
  const from = x();
  const [, repeated] = gradientPrograms(() => lossOf(network(from, blockOf)), [from, ...weights]);
  const products = repeated.plan.steps.flatMap((step) =>
    step.kind === "kernel" && step.node.op.name === "matmul" ? [step.node] : [],
  );
  // Products of the forward pass have no operand transposed, those of gradients have one.
  const isGradient = ({ attrs }: Tensor) => attrs.transA || attrs.transB;
  const order = products.map((node) => (isGradient(node) ? "g" : "f")).join("");
  assert.is(order, `ffff${"fgg".repeat(4)}`);
});

test("without recomputation, and without a gradient, the mark has no effect", () => {
  const from = x();
  const steps = (mark: (compute: () => Tensor) => Tensor) => {
    const loss = lossOf(network(from, mark));
    return program({ name: "p", outputs: { loss, g: grad(loss, [from])[0] } }).plan.steps.length;
  };
  assert.is(
    steps(blockOf),
    steps((compute) => compute()),
  );
});

test("a block that returns what was there before is no block", () => {
  const from = x();
  assert.is(
    blockOf(() => from),
    from,
  );
});

const benchSize = { channels: 32, channelMult: [1, 2], blocks: 2, attention: [8] };

test("a U-Net of bench size trains in 2/5 of the memory", () => {
  const sizes = modes.map((recompute) => {
    const { plan } = admStep({ ...benchSize, channelsPerHead: 16 }, { recompute }).program;
    return plan.bytes / 2 ** 20;
  });
  assert.ok(sizes[0] < 90, `${sizes[0]} MiB`);
  assert.ok(sizes[1] < 0.4 * sizes[0], `${sizes.join(" and ")} MiB`);
});

test("a U-Net takes the same step with and without recomputation", async () => {
  const small = { channels: 8, channelMult: [1, 2], blocks: 1, attention: [4], channelsPerHead: 8 };
  const cases: [Backend, object, number][] = [
    [new ReferenceBackend(), small, 8],
    [await WasmBackend.open(), { ...benchSize, channelsPerHead: 16 }, 16],
  ];
  for (const [backend, options, size] of cases) {
    const results: (readonly Float32Array[])[] = [];
    for (const recompute of modes) {
      const step = admStep(options, { recompute, size, batch: size === 8 ? 2 : 32 });
      results.push(await step.run(backend));
    }
    const [kept, repeated] = results;
    kept.forEach((values, i) => {
      assert.ok(values.every(Number.isFinite) && values.some((value) => value !== 0));
      const worst = values.reduce((max, v, n) => Math.max(max, Math.abs(v - repeated[i][n])), 0);
      assert.is(worst, 0, backend.info.backend);
    });
    await backend.close();
  }
});

test.run();

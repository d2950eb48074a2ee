import { suite } from "uvu";
import * as assert from "uvu/assert";
import { program, rootOf } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import { sizeOf, type Tensor } from "../../../core/tensor/mod.ts";
import { Draw } from "../../helpers/ops.ts";
import { randomGraph } from "../../helpers/randomGraph.ts";

const test = suite("core/graph/slots");

const scratchOf = (outputs: Record<string, Tensor>) =>
  program({ name: "slots", outputs }).plan.buffers.filter(({ kind }) => kind === "scratch");

test("no step writes a scratch buffer that it reads, but for elements in place", () => {
  for (let seed = 0; seed < 200; seed++) {
    const { outputs, updates } = randomGraph(new Draw(seed), 60);
    const { plan } = program({ name: "random", outputs, updates });
    for (const step of plan.steps) {
      if (step.kind === "copy") continue;
      const [inputs, results] = step.kind === "kernel" ? [step.node.inputs, [step.node]] : [step.inputs, step.outputs];
      for (const result of results) {
        const place = plan.places.get(result)!;
        if (plan.buffers[place.buffer].kind !== "scratch") continue;
        for (const input of inputs) {
          const read = plan.places.get(input);
          if (read?.buffer !== place.buffer) continue;
          assert.is(step.kind, "elementwise", `seed ${seed}`);
          assert.is(read.offset, place.offset, `seed ${seed}`);
          assert.is(sizeOf(input.shape), sizeOf(result.shape), `seed ${seed}`);
        }
      }
    }
  }
});

test("values start where a binding may", () => {
  for (let seed = 0; seed < 50; seed++) {
    const { outputs, updates } = randomGraph(new Draw(seed), 60);
    const { plan } = program({ name: "random", outputs, updates });
    for (const [tensor, { buffer, offset }] of plan.places)
      if (rootOf(tensor).root === tensor && plan.buffers[buffer].kind === "scratch") assert.is(offset % 64, 0);
  }
});

test("an elementwise step writes over what it is the last to read", () => {
  const x = ops.input("x", [64, 64]);
  const scratch = scratchOf({ y: ops.softmax(ops.mul(ops.exp(ops.softmax(x)), ops.softmax(x))) });
  assert.is(scratch.length, 1);
});

test("small values lie side by side in what a large one leaves", () => {
  // Both halves live until the end, and the large value is gone by then.
  const large = ops.softmax(ops.input("x", [128, 64]));
  const [a, b] = [0, 1].map((i) => ops.sum(ops.mul(large, i + 2), { axes: [1] }));
  const between = ops.softmax(ops.add(a, b));
  const y = ops.matmul(ops.reshape(ops.softmax(a), [1, 128]), ops.reshape(between, [128, 1]));
  const scratch = scratchOf({ y });
  const elements = scratch.reduce((sum, spec) => sum + spec.elements, 0);
  assert.ok(elements <= 2 * 128 * 64 + 3 * 128, `${elements}`);
});

test.run();

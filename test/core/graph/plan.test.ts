import { suite } from "uvu";
import * as assert from "uvu/assert";
import { program } from "../../../core/graph/mod.ts";
import * as ops from "../../../core/ops/mod.ts";
import { FLOAT32_TOLERANCE, largestError } from "../../helpers/close.ts";
import { interpret, runPlan } from "../../helpers/interpret.ts";
import { Draw } from "../../helpers/ops.ts";
import { type RandomGraph, randomGraph } from "../../helpers/randomGraph.ts";

const test = suite("core/graph/plan");

/** Runs a graph's plan twice on its buffers and compares with direct interpretation of what was traced. */
function errorOfPlan({ outputs, updates, inputs, states }: RandomGraph): number {
  const compiled = program({ name: "random", outputs, updates });
  const stored = Object.fromEntries(Object.entries(states).map(([name, data]) => [name, Float64Array.from(data)]));
  let expectedStates = { ...states };
  let worst = 0;
  for (let run = 0; run < 2; run++) {
    const names = Object.keys(outputs);
    const values = interpret([...Object.values(outputs), ...updates.map(([, value]) => value)], {
      ...inputs,
      ...expectedStates,
    });
    const got = runPlan(compiled, inputs, stored);
    names.forEach((name, i) => {
      worst = Math.max(worst, largestError(got[name], values[i]));
    });
    expectedStates = { ...expectedStates };
    updates.forEach(([state], i) => {
      expectedStates[state.attrs.name as string] = values[names.length + i];
    });
    for (const [name, data] of Object.entries(expectedStates))
      worst = Math.max(worst, largestError(stored[name], data));
  }
  return worst;
}

test("random graphs: planned steps on poisoned buffers compute what was traced", () => {
  for (let seed = 0; seed < 400; seed++) {
    const draw = new Draw(seed);
    const error = errorOfPlan(randomGraph(draw, draw.integer(10, 60)));
    assert.ok(error < FLOAT32_TOLERANCE, `seed ${seed}: error ${error}`);
  }
});

test("random graphs: an elementwise step touches at most 8 buffers", () => {
  for (let seed = 0; seed < 100; seed++) {
    const { outputs, updates } = randomGraph(new Draw(seed), 60);
    const { plan } = program({ name: "random", outputs, updates });
    for (const step of plan.steps) {
      if (step.kind !== "elementwise") continue;
      const touched = [...step.inputs, ...step.outputs].map((value) => plan.places.get(value)!.buffer);
      assert.ok(new Set(touched).size <= 8, `seed ${seed}: ${new Set(touched).size} buffers`);
    }
  }
});

test("scratch buffers are shared by values that don't live together", () => {
  let x = ops.input("x", [64, 64]);
  for (let i = 0; i < 20; i++) x = ops.softmax(ops.transpose(x));
  const { plan } = program({ name: "chain", outputs: { x } });
  assert.is(plan.buffers.filter(({ kind }) => kind === "scratch").length, 2);
  assert.is(plan.bytes, 4 * 4 * 64 * 64); // input, output and two in between
});

test("a state that is read after its new value exists is not overwritten early", () => {
  const [a, b] = [ops.state("a", [8]), ops.state("b", [8])];
  const newA = ops.softmax(a);
  const graph = {
    outputs: { late: ops.sum(ops.mul(newA, a)) },
    updates: [
      [a, newA],
      [b, a],
    ] as [typeof a, typeof a][],
    inputs: {},
    states: { a: new Draw(1).normal([8]).data, b: new Draw(2).normal([8]).data },
  };
  assert.ok(errorOfPlan(graph) < FLOAT32_TOLERANCE);
});

test("states can be swapped", () => {
  const [a, b] = [ops.state("a", [8]), ops.state("b", [8])];
  const states = { a: new Draw(1).normal([8]).data, b: new Draw(2).normal([8]).data };
  const updates: [typeof a, typeof a][] = [
    [a, b],
    [b, a],
  ];
  assert.is(errorOfPlan({ outputs: {}, updates, inputs: {}, states }), 0);
});

test.run();

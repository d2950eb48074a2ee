// Whole programs as the compiler plans them: every mixture of kernels, fused chains, views, packs and state updates.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { program } from "../../../core/graph/mod.ts";
import { largestError } from "../../helpers/close.ts";
import { interpret } from "../../helpers/interpret.ts";
import { closeTestBackends, testBackend } from "../../helpers/kernelHarness.ts";
import { Draw } from "../../helpers/ops.ts";
import { type RandomGraph, randomGraph } from "../../helpers/randomGraph.ts";

const test = suite("backends/webgpu/program");
test.after(closeTestBackends);

/** Depth adds up the roundings of some dozen float32 ops in a row. */
const DEEP = 1e-5;

/** Runs a graph twice on poisoned buffers and compares with direct interpretation in float64. */
async function errorOf({ outputs, updates, inputs, states }: RandomGraph): Promise<number> {
  const backend = await testBackend();
  const memory = backend.createMemory();
  // Rounded, so that both sides start from the same numbers.
  const rounded = (values: Readonly<Record<string, Float64Array>>) =>
    Object.entries(values).map(([name, data]) => [name, Float32Array.from(data)] as const);
  for (const [name, data] of rounded(states)) {
    memory.allocate(name, data.length);
    memory.write(name, data);
  }
  const run = await backend.compile(program({ name: "random", outputs, updates }), memory);
  const given = Object.fromEntries(rounded(inputs));
  let expected: Record<string, Float64Array> = Object.fromEntries(
    rounded({ ...states, ...inputs }).map(([name, data]) => [name, Float64Array.from(data)]),
  );
  const names = Object.keys(outputs);
  const roots = [...Object.values(outputs), ...updates.map(([, value]) => value)];
  let worst = 0;
  for (let turn = 0; turn < 2; turn++) {
    await run.run(given);
    const values = interpret(roots, expected);
    for (const [i, name] of names.entries()) worst = Math.max(worst, largestError(await run.read(name), values[i]));
    expected = { ...expected };
    updates.forEach(([state], i) => {
      expected[state.attrs.name as string] = values[names.length + i];
    });
    for (const name of Object.keys(states))
      worst = Math.max(worst, largestError(await memory.read(name), expected[name]));
  }
  run.dispose();
  memory.dispose();
  return worst;
}

test("random graphs compute on the device what was traced", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const draw = new Draw(seed);
    const error = await errorOf(randomGraph(draw, draw.integer(10, 60)));
    assert.ok(error < DEEP, `seed ${seed}: error ${error}`);
  }
});

test.run();

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type WarmUpProgress, WebGpuBackend } from "../../../../backends/webgpu/mod.ts";
import { type Program, program } from "../../../../core/graph/mod.ts";
import * as ops from "../../../../core/ops/mod.ts";

const test = suite("backends/webgpu/tuning/warmUp");

const x = () => ops.input("x", [6, 10]);
const first = () => program({ name: "first", outputs: { y: ops.softmax(x()), z: ops.transpose(x()) } });
const second = () =>
  program({
    name: "second",
    outputs: { y: ops.transpose(ops.exp(ops.slice(x(), { axis: 1, start: 1, end: 5 }))) },
  });

for (const software of [true, false])
  test(`counts each kernel of a program once, and not those that are ready (software ${software})`, async () => {
    const told: WarmUpProgress[] = [];
    const backend = await WebGpuBackend.open({
      tune: "off",
      traits: { software },
      onWarmUp: (progress) => void told.push(progress),
    });
    const memory = backend.createMemory();
    const compile = async (each: Program) => {
      told.length = 0;
      const before = backend.pipelines;
      const run = await backend.compile(each, memory);
      const made = backend.pipelines - before;
      const numbers = told.map(({ done }) => done);
      assert.equal(numbers, made === 0 ? [] : Array.from({ length: made + 1 }, (_, i) => i));
      for (const { total, what, program: name } of told)
        assert.equal([total, what, name], [made, "kernels", each.name]);
      await run.run({ x: new Float32Array(60).fill(1) });
      const y = await run.read("y");
      run.dispose();
      return { made, y };
    };
    const one = await compile(first());
    assert.ok(one.made >= 2);
    assert.ok(Math.abs(one.y[59] - 0.1) < 1e-6);
    const two = await compile(second());
    // The transposition is ready.
    assert.ok(two.made >= 1 && two.made <= 2, `${two.made}`);
    assert.ok(Math.abs(two.y[0] - Math.E) < 1e-5);
    assert.is((await compile(first())).made, 0);
    memory.dispose();
    // Nothing of the stand-ins is left: what remains are fences and staging buffers.
    assert.ok(backend.liveBytes <= 4096, `${backend.liveBytes} bytes`);
    await backend.close();
  });

test("programs that are compiled at once wait for each other's kernels", async () => {
  const backend = await WebGpuBackend.open({ tune: "off" });
  const memory = backend.createMemory();
  const runs = await Promise.all([first(), second(), first()].map((each) => backend.compile(each, memory)));
  for (const run of runs) {
    await run.run({ x: new Float32Array(60) });
    assert.ok((await run.read("y")).every(Number.isFinite));
  }
  await backend.close();
});

test.run();

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { plain, relaxed } from "../../../../backends/wasm/kernels.generated.ts";
import { planKernels, translate } from "../../../../backends/wasm/translate.ts";
import { type Program, program } from "../../../../core/graph/mod.ts";
import * as ops from "../../../../core/ops/mod.ts";
import { admStep } from "../../../helpers/admStep.ts";
import { smallUnet } from "../../../helpers/footprint.ts";

const test = suite("backends/wasm/kernels/joined");

/** Node from 24 on joins vectors, with a flag; Deno does not. */
const joins = Number.parseInt(process.versions.v8, 10) >= 13 && process.arch === "x64" && !process.versions.deno;

/** Compiles a build of the kernels in a process of its own, every function by the optimising compiler, and logs what it joins. */
async function compile(base64: string, ...flags: string[]): Promise<string> {
  const source = `new WebAssembly.Module(Buffer.from("${base64}", "base64")); console.log("compiled");`;
  const all = ["--experimental-wasm-revectorize", "--no-liftoff", "--no-wasm-lazy-compilation", ...flags];
  const { stdout } = await promisify(execFile)(process.execPath, [...all, "-e", source], { maxBuffer: 1 << 28 });
  return stdout;
}

/** Functions one after the other, with what V8 says of each. */
const traced = ["--no-wasm-inlining", "--wasm-num-compilation-tasks=0", "--trace-wasm-revectorize"];

// A function that V8 can't compile ends the whole process, perhaps minutes after it was first called.
if (joins)
  for (const [name, base64] of Object.entries({ plain, relaxed }))
    for (const inlining of ["--wasm-inlining", "--no-wasm-inlining"])
      test(`V8 compiles every function of the ${name} build, ${inlining}`, async () => {
        assert.match(await compile(base64, inlining), /^compiled$/m);
      });

/** The module of a program's own code, which holds its fused elementwise steps; only to be compiled. */
function emitted(traced: Program): string {
  const addresses = { buffers: traced.plan.buffers.map((_, i) => i * 4096), temps: 0 };
  const options = { relaxed: true, shared: true, addresses: "i32" } as const;
  return Buffer.from(translate(traced, planKernels(traced), addresses, options).bytes).toString("base64");
}

if (joins)
  for (const inlining of ["--wasm-inlining", "--no-wasm-inlining"])
    test(`V8 compiles what a training step fuses, ${inlining}`, async () => {
      assert.match(await compile(emitted(admStep(smallUnet, { batch: 2, size: 8 }).program), inlining), /^compiled$/m);
    });

if (joins)
  test("V8 joins the pairs of fused steps, in a loop of its own", async () => {
    const [x, b] = [ops.input("x", [64, 128]), ops.input("b", [128])];
    const y = ops.silu(ops.add(x, b));
    const log = await compile(emitted(program({ name: "fused", outputs: { y, z: ops.mul(y, 2) } })), ...traced);
    assert.is(log.match(/PackNode Store\(/g)?.length, 2, log);
    // What V8 reckons to save must be more than what it costs to take vectors out of pairs.
    const [, saved, cost] = log.match(/Save: (\d+), cost: (\d+)/)!;
    assert.ok(Number(saved) > 20 && Number(cost) === 0, `saves ${saved}, costs ${cost}`);
  });

if (joins)
  test("V8 joins all stores of the wide tiles", async () => {
    const log = await compile(relaxed, ...traced);
    const functions = log.split("Begin revec function").map((text) => ({
      stores: text.split("reduce seeds")[0].match(/^\{$/gm)?.length ?? 0,
      joined: text.match(/PackNode Store\(/g)?.length ?? 0,
    }));
    // Two pairs a row, with and without adding: six rows and four, of matrices and of planes.
    for (const pairs of [24, 16]) {
      const whole = functions.filter((f) => f.stores === pairs && f.joined === pairs);
      assert.ok(whole.length >= 2, `${whole.length} functions with ${pairs} pairs: ${JSON.stringify(functions)}`);
    }
  });

test.run();

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { plain, relaxed } from "../../../../backends/wasm/kernels.generated.ts";

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

// A function that V8 can't compile ends the whole process, perhaps minutes after it was first called.
if (joins)
  for (const [name, base64] of Object.entries({ plain, relaxed }))
    for (const inlining of ["--wasm-inlining", "--no-wasm-inlining"])
      test(`V8 compiles every function of the ${name} build, ${inlining}`, async () => {
        assert.match(await compile(base64, inlining), /^compiled$/m);
      });

if (joins)
  test("V8 joins all stores of the wide tiles", async () => {
    const single = ["--no-wasm-inlining", "--wasm-num-compilation-tasks=0", "--trace-wasm-revectorize"];
    const log = await compile(relaxed, ...single);
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

// `onestep selftest`: that it finds a device at fault. The operations themselves are held to the oracle in test/backends.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../backends/reference/mod.ts";
import type { Backend } from "../../core/interfaces/mod.ts";
import { overlaid } from "../../core/plugin/overlaid.ts";
import { onestep } from "../examples/cli/program.ts";
import { exportedOps } from "../helpers/ops.ts";
import { opsNamed, testOp } from "./selfTest.ts";

const test = suite("selftest");

/** A device that adds to one element of every output whose name matches. */
function faulty(pattern: RegExp, error: number): Backend {
  const backend = new ReferenceBackend();
  return overlaid(backend as Backend, {
    async compile(program, memory) {
      const executable = await backend.compile(program, memory as never);
      return overlaid(executable, {
        async read(name) {
          const values = await executable.read(name);
          if (pattern.test(name)) values[values.length - 1] += error;
          return values;
        },
      });
    },
  });
}

test("a sound device agrees, forward and backward, in the ops that have a derivative", async () => {
  const backend = new ReferenceBackend();
  for (const op of ["matmul", "conv2d", "attention"]) {
    const { forward, backward, fault } = await testOp(op, backend);
    assert.is(fault, undefined);
    assert.ok(forward! <= 1 && backward! <= 1);
  }
  const { forward, backward, fault } = await testOp("argmax", backend);
  assert.equal([forward, backward, fault], [0, undefined, undefined]);
});

test("a wrong value and a wrong gradient are each found, with their place", async () => {
  const forward = await testOp("matmul", faulty(/^example 2/, 0.01));
  assert.match(forward.fault!, /^example 2: element \d+ is \S+, should be \S+$/);
  assert.ok(forward.forward! > 1 && forward.backward! <= 1);
  const backward = await testOp("conv2d", faulty(/^gradient 1 of example 0/, Number.NaN));
  assert.match(backward.fault!, /^gradient 1 of example 0: element \d+ is NaN, should be /);
  assert.ok(backward.forward! <= 1 && backward.backward === Number.POSITIVE_INFINITY);
});

test("a kernel that does not compile is a fault, and no end of the others", async () => {
  const compile = () => Promise.reject(new Error("unresolved value"));
  const verdict = await testOp("add", overlaid(new ReferenceBackend() as Backend, { compile }));
  assert.equal(verdict, { op: "add", fault: "unresolved value" });
});

test("every operation is among them", () => assert.equal(opsNamed(/./), Object.keys(exportedOps)));

test("the command: a line each, and a status that says whether all agree", async () => {
  const sound = await onestep("selftest", "--only", "^(add|sum)$", "--device", "reference");
  assert.is(sound.code, 0);
  assert.match(sound.stdout, /^add +\S+ +\S+$/m);
  assert.match(sound.stdout, /^2 of 2 operations agree with the oracle, 0 do not$/m);
  const late = await onestep("selftest", "--only", "^(add|sum)$", "--device", "reference", "--seconds", "1e-9");
  assert.is(late.code, 1);
  assert.match(late.stdout, /^0 of 2 operations agree with the oracle, 0 do not, 2 not run within 1e-9 s$/m);
  for (const words of [
    ["--only", "nothing"],
    ["--only", "("],
    ["--seconds", "soon"],
  ])
    assert.is((await onestep("selftest", ...words)).code, 2);
});

test.run();

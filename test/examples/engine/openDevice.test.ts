import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import type { WebGpuOptions } from "../../../backends/webgpu/mod.ts";
import { openDevice } from "../../../examples/engine/openDevice.ts";

const test = suite("engine/openDevice");
test.before(() => {
  delete process.env.ONESTEP_ADAPTER;
});

/** Opens the device `auto` on a machine where these devices fail with these words; says what was tried and noted. */
async function auto(failing: Record<string, string>, mayHaveGpu = true) {
  const [tried, notes]: [string[], string[]] = [[], []];
  const open = async (name: string) => {
    tried.push(name);
    if (name in failing) throw new Error(failing[name]);
    return new ReferenceBackend();
  };
  const openers = {
    webgpu: ({ prefer }: WebGpuOptions) => open(prefer === "software" ? prefer : "gpu"),
    wasm: () => open("wasm"),
    reference: () => open("reference"),
  };
  const note = (text: string) => void notes.push(text);
  await openDevice("auto", { note }, { openers, mayHaveGpu: () => mayHaveGpu });
  return { tried, notes };
}

test("auto: a GPU that works is used, without a word", async () => {
  assert.equal(await auto({}), { tried: ["gpu"], notes: [] });
});

test("auto: no driver can have a GPU, so none is looked for", async () => {
  assert.equal(await auto({}, false), { tried: ["wasm"], notes: [] });
});

test("auto: a GPU that fails its self-check is passed over in one line that says why", async () => {
  const { tried, notes } = await auto({ gpu: "Cannot use Arc: matmul is wrong\nat tile 3" });
  assert.equal(tried, ["gpu", "wasm"]);
  assert.equal(notes, ["device auto can't use a GPU: Cannot use Arc: matmul is wrong"]);
});

test("auto: the oracle runs where all else fails, and each failure is told", async () => {
  const { tried, notes } = await auto({ gpu: "lost", wasm: "no SIMD", software: "found none" });
  assert.equal(tried, ["gpu", "wasm", "software", "reference"]);
  assert.equal(notes, [
    "device auto can't use a GPU: lost",
    "device auto can't use wasm: no SIMD",
    "device auto can't use a software adapter: found none",
  ]);
});

test("a device by name is opened or its error thrown", async () => {
  const openers = {
    webgpu: () => Promise.reject(new Error("found none")),
    wasm: () => Promise.reject(new Error("no SIMD")),
    reference: () => Promise.reject(new Error("never")),
  };
  const machine = { openers, mayHaveGpu: () => true };
  const note = () => assert.unreachable();
  for (const device of ["webgpu", "software", "llvmpipe"])
    await openDevice(device, { note }, machine).then(
      () => assert.unreachable(),
      ({ message }) => assert.is(message, "found none"),
    );
  await openDevice("wasm", { note }, machine).then(
    () => assert.unreachable(),
    ({ message }) => assert.is(message, "no SIMD"),
  );
});

test.run();

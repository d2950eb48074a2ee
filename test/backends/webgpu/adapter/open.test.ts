import { test } from "uvu";
import * as assert from "uvu/assert";
import { type AdapterEntry, listAdapters, openDevice } from "../../../../backends/webgpu/adapter/open.ts";
import { selfCheck } from "../../../../backends/webgpu/adapter/selfCheck.ts";
import type { OnestepError } from "../../../../core/errors.ts";

let adapters: AdapterEntry[] = [];

test.before(async () => {
  adapters = await listAdapters((problem) => console.log(`adapter problem: ${problem}`));
  for (const { traits, openMs, problem } of adapters) {
    const state = problem ?? `opened in ${openMs.toFixed(0)} ms`;
    console.log(`adapter: ${traits.name} (${traits.type}, ${traits.driver || traits.via}), ${state}`);
  }
});

test("this machine has an adapter that works", () => {
  assert.ok(adapters.some(({ problem }) => problem === undefined));
});

test("every adapter opens by its name, has its limits and computes", async () => {
  for (const { traits: listed } of adapters.filter(({ problem }) => !problem)) {
    const { device, traits, close } = await openDevice({ prefer: listed.name.toUpperCase() });
    assert.is(traits.name, listed.name);
    assert.is(traits.maxBinding, device.limits.maxStorageBufferBindingSize);
    assert.ok(traits.maxStorageBuffers >= 8, "kernels bind up to 8 storage buffers");
    assert.ok(traits.maxInvocations >= 256, "kernels use up to 256 invocations");
    assert.is(traits.subgroups, device.features.has("subgroups"));
    assert.is(await selfCheck(device), undefined);
    await close();
    await close();
  }
});

test("several devices live side by side", async () => {
  const opened = await Promise.all([openDevice(), openDevice(), openDevice()]);
  for (const { device } of opened) assert.is(await selfCheck(device), undefined);
  await Promise.all(opened.map(({ close }) => close()));
});

test("a name that no adapter has is refused with what is there", async () => {
  const error = await failureOf(openDevice({ prefer: "voodoo 2" }));
  assert.is(error.code, "E_NO_ADAPTER");
  assert.match(
    error.message,
    /^Cannot open a WebGPU device: found only .*, wanted an adapter whose name has "voodoo 2"$/,
  );
  assert.match(error.fix, /onestep doctor/);
});

test("software adapters are refused when they are not allowed", async () => {
  const hardware = adapters.some(({ traits, problem }) => !traits.software && !problem);
  const opening = openDevice({ prefer: "hardware", allowSoftware: false });
  if (hardware) {
    const { traits, close } = await opening;
    assert.not(traits.software);
    return close();
  }
  const error = await failureOf(opening);
  assert.match(error.message, /\(software\).*, wanted a hardware adapter$/);
  assert.match(error.fix, /--device reference$/);
});

test("ONESTEP_ADAPTER chooses when the caller does not", async () => {
  const before = process.env.ONESTEP_ADAPTER;
  try {
    process.env.ONESTEP_ADAPTER = "voodoo 2";
    assert.is((await failureOf(openDevice())).code, "E_NO_ADAPTER");
    const { name } = adapters.find(({ problem }) => !problem)!.traits;
    const { traits, close } = await openDevice({ prefer: name });
    assert.is(traits.name, name);
    await close();
  } finally {
    if (before === undefined) delete process.env.ONESTEP_ADAPTER;
    else process.env.ONESTEP_ADAPTER = before;
  }
});

test("subgroup matrices are only there where they work, and can be turned off", async () => {
  const before = process.env.ONESTEP_MATRICES;
  try {
    const { device, traits, close } = await openDevice({ matrices: true });
    const name = "chromium-experimental-subgroup-matrix";
    assert.is(device.features.has(name), traits.matrices.length > 0);
    assert.ok(traits.matrices.length > 0 || traits.matricesProblem);
    await close();
    process.env.ONESTEP_MATRICES = "off";
    const without = await openDevice();
    assert.equal(without.traits.matrices, []);
    assert.is(without.traits.matricesProblem, "turned off");
    await without.close();
    process.env.ONESTEP_MATRICES = "maybe";
    const error = await failureOf(openDevice());
    assert.is(error.message, 'Cannot read ONESTEP_MATRICES="maybe": expected on or off');
  } finally {
    if (before === undefined) delete process.env.ONESTEP_MATRICES;
    else process.env.ONESTEP_MATRICES = before;
  }
});

test("the owner hears of a loss, but not of its own close", async () => {
  const losses: OnestepError[] = [];
  const onLost = (error: OnestepError) => losses.push(error);
  const closed = await openDevice({ onLost });
  await closed.close();
  assert.is(losses.length, 0);
  const { device } = await openDevice({ onLost });
  device.destroy();
  await device.lost;
  await new Promise((done) => setTimeout(done));
  assert.is(losses.length, 1);
  assert.is(losses[0].code, "E_DEVICE_LOST");
  assert.match(losses[0].message, /^Cannot go on with .+: the device was lost, .+/);
});

async function failureOf(opening: Promise<unknown>): Promise<OnestepError> {
  const outcome = await opening.catch((error) => error);
  assert.instance(outcome, Error);
  return outcome as OnestepError;
}

test.run();

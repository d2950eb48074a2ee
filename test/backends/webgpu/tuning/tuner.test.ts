import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { matmul } from "../../../../backends/webgpu/kernels/matmul.ts";
import { lowerings as own } from "../../../../backends/webgpu/kernels/mod.ts";
import type { DeviceTraits } from "../../../../backends/webgpu/mod.ts";
import {
  type ForcedVariants,
  type Lowering,
  type WarmUpProgress,
  WebGpuBackend,
  type WebGpuOptions,
} from "../../../../backends/webgpu/mod.ts";
import { isolated, measuredOn, signatureOf } from "../../../../backends/webgpu/tuning/signature.ts";
import { ChoiceStore } from "../../../../backends/webgpu/tuning/store.ts";
import { type Trial, Tuner } from "../../../../backends/webgpu/tuning/tuner.ts";
import { failure } from "../../../../core/errors.ts";
import { program } from "../../../../core/graph/mod.ts";
import * as ops from "../../../../core/ops/mod.ts";
import { withStorage } from "../../../../core/tensor/mod.ts";

const test = suite("backends/webgpu/tuning/tuner");

const plan = () => ({ passes: [] });
const anywhere = () => true;
/** Three ways of a product, the last for narrow results only; one of a transposition. */
const lowerings: readonly Lowering[] = [
  {
    op: "matmul",
    variants: [
      { name: "first", supports: anywhere, plan },
      { name: "second", supports: anywhere, plan },
      { name: "narrow", supports: ({ shape }) => shape[1] < 8, plan },
    ],
  },
  { op: "transpose", variants: [{ name: "only", supports: anywhere, plan }] },
];

const product = (m: number, k: number, n: number) => ops.matmul(ops.input(`a${m}`, [m, k]), ops.input(`b${n}`, [k, n]));
const wide = product(4, 5, 8);
const narrow = product(6, 7, 2);
const both = program({
  name: "both",
  outputs: { wide, again: product(4, 5, 8), narrow: ops.transpose(narrow) },
});

/** A tuner whose trials take the given milliseconds; a string is the code of an error instead. */
async function tuner(
  ms: Record<string, number | "E_DEVICE_LIMIT" | "E_DEVICE_LOST">,
  { measures = true, forced }: { measures?: boolean; forced?: ForcedVariants } = {},
) {
  const trials: string[] = [];
  const told: WarmUpProgress[] = [];
  let open = 0;
  const self = new Tuner({
    lowerings,
    traits: {} as DeviceTraits,
    forced,
    measures,
    store: await ChoiceStore.open({ adapter: "a", driver: "d", kernels: "k" }, { onDisk: false }),
    empty: async () => 0.1,
    tell: (progress) => void told.push(progress),
    async trial({ outputs }, variants): Promise<Trial> {
      const name = variants.matmul;
      trials.push(`${name} [${outputs.get("y")?.shape}]`);
      const time = ms[name];
      if (typeof time === "string") throw failure(time, "Cannot");
      open++;
      return { time: async (runs) => 0.1 + runs * time, dispose: () => void open-- };
    },
  });
  return { tuner: self, trials, told, open: () => open };
}

test("every variant that fits is measured once a signature, and the fastest is chosen", async () => {
  const { tuner: self, trials, told, open } = await tuner({ first: 30, second: 12, narrow: 5 });
  await self.prepare(both);
  assert.is(self.chosen(wide), "second");
  assert.is(self.chosen(narrow), "narrow");
  assert.equal(trials, ["first [4,8]", "second [4,8]", "first [6,2]", "second [6,2]", "narrow [6,2]"]);
  assert.equal(
    told.map(({ program, what, done, total }) => `${program} ${what} ${done}/${total}`),
    ["both variants 0/2", "both variants 1/2", "both variants 2/2"],
  );
  assert.is(open(), 0);
  // All is known.
  await self.prepare(both);
  assert.is(trials.length, 5);
  assert.is(told.length, 3);
});

test("what only reads the cache measures nothing", async () => {
  const { tuner: self, trials } = await tuner({}, { measures: false });
  await self.prepare(both);
  assert.equal([trials, self.chosen(wide)], [[], undefined]);
});

test("an op whose variant was asked for is not measured", async () => {
  const { tuner: self, trials } = await tuner({}, { forced: { matmul: "first" } });
  await self.prepare(both);
  assert.equal(trials, []);
});

test("where the preferred variant is lost in the noise, no other is tried", async () => {
  const { tuner: self, trials } = await tuner({ first: 0.0001 });
  await self.prepare(both);
  assert.equal(trials, ["first [4,8]", "first [6,2]"]);
  assert.is(self.chosen(wide), "first");
});

test("a variant that the device can't run is left out; what ends the device ends the measurement", async () => {
  const limited = await tuner({ first: "E_DEVICE_LIMIT", second: 40, narrow: 45 });
  await limited.tuner.prepare(both);
  assert.is(limited.tuner.chosen(narrow), "second");
  assert.is(limited.open(), 0);
  const lost = await tuner({ first: 40, second: "E_DEVICE_LOST" });
  const error = await lost.tuner.prepare(both).catch((reason: { code: string }) => reason.code);
  assert.is(error, "E_DEVICE_LOST");
  assert.is(lost.open(), 0);
});

test("the signature tells shapes, types and attributes apart, and nothing else", () => {
  assert.is(signatureOf(wide), 'matmul {"transA":false,"transB":false} f32[4,5] f32[5,8] -> [4,8]');
  assert.is(signatureOf(product(4, 5, 8)), signatureOf(wide));
  const square = () => ops.input("x", [5, 5]);
  const all = [
    wide,
    narrow,
    ops.matmul(square(), square()),
    ops.matmul(square(), square(), { transB: true }),
    ops.sum(square(), { axes: [0] }),
    ops.sum(square(), { axes: [1] }),
  ];
  assert.is(new Set(all.map(signatureOf)).size, all.length);
});

test("operands that are kept in f16 are told apart from others, and measured so", () => {
  const [a, b] = [ops.input("a", [4, 5]), ops.input("b", [5, 8])];
  const node = withStorage("f16", () => ops.matmul(ops.mul(a, 2), b));
  const signature = 'matmul {"transA":false,"transB":false} f16[4,5] f32[5,8] -> [4,8]';
  assert.is(signatureOf(node), signature);
  const alone = isolated(node).outputs.get("y")!;
  assert.is(signatureOf(alone), signature);
  assert.is(alone.storage, "f16");
});

const device = suite<{ dir: string; before?: string }>("backends/webgpu/tuning on a device");

device.before.each(async (context) => {
  context.before = process.env.XDG_CACHE_HOME;
  context.dir = await mkdtemp(join(tmpdir(), "onestep-tuner-"));
  process.env.XDG_CACHE_HOME = context.dir;
});
device.after.each(async ({ dir, before }) => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  await rm(dir, { recursive: true });
});

/** The kernel that every adapter runs; in the preferred variant it does its work six times. */
const registers = matmul.variants[matmul.variants.length - 1];
const ways: Lowering = {
  op: "matmul",
  variants: [
    {
      name: "slow",
      supports: () => true,
      plan(node, traits) {
        const { passes, ...rest } = registers.plan(node, traits);
        return { ...rest, passes: new Array(6).fill(passes).flat() };
      },
    },
    { ...registers, name: "fast" },
  ],
};
const SIDE = 128;
const square = (name: string) => ops.input(name, [SIDE, SIDE]);
const productOfSquares = () => ops.matmul(square("a"), square("b"));

/** A product, and what ran for it. */
async function multiply(options: WebGpuOptions) {
  const told: string[] = [];
  const backend = await WebGpuBackend.open({
    lowerings: [ways],
    onWarmUp: ({ what, done, total }) => void told.push(`${what} ${done}/${total}`),
    ...options,
  });
  const memory = backend.createMemory();
  const before = backend.liveBytes;
  const run = await backend.compile(program({ name: "product", outputs: { c: productOfSquares() } }), memory);
  const ones = new Float32Array(SIDE * SIDE).fill(1);
  await run.run({ a: ones, b: ones });
  const c = await run.read("c");
  const { variant } = run.dispatches[0];
  run.dispose();
  memory.dispose();
  // The ring of eight staging buffers is for all programs to come.
  const left = backend.liveBytes - before - 8 * 65536;
  await backend.close();
  return { told, variant, left, correct: c.every((value) => value === SIDE) };
}

device("measure: the faster is found once, then known to all runs on this adapter", async () => {
  const first = await multiply({ tune: "measure" });
  assert.equal([first.variant, first.correct], ["fast", true]);
  assert.ok(first.told.includes("variants 0/1") && first.told.includes("variants 1/1"));
  assert.ok(first.left <= 4096, `${first.left} bytes`);
  const again = await multiply({ tune: "measure" });
  assert.equal([again.variant, again.correct], ["fast", true]);
  assert.not(again.told.some((text) => text.startsWith("variants")));
  assert.is((await multiply({})).variant, "fast");
  assert.is((await multiply({ tune: "off" })).variant, "slow");
});

device("cached: a choice is used where there is such a variant, made for these kernels", async () => {
  const backend = await WebGpuBackend.open({ tune: "off" });
  const { traits } = backend;
  await backend.close();
  for (const [variant, expected] of [
    ["fast", "fast"],
    ["no such variant", "slow"],
  ]) {
    const store = await ChoiceStore.open(await measuredOn(traits, [ways, ...own]));
    store.set(signatureOf(productOfSquares()), { variant, ms: {} });
    await store.save();
    assert.equal([(await multiply({})).variant, (await multiply({})).correct], [expected, true]);
  }
  const problems: string[] = [];
  const store = await ChoiceStore.open(await measuredOn(traits, [ways, ...own], { matmul: "" }));
  store.set(signatureOf(productOfSquares()), { variant: "fast", ms: {} });
  await store.save();
  const { variant } = await multiply({ onProblem: (text) => problems.push(text) });
  assert.is(variant, "slow");
  assert.is(problems.length, 1);
  assert.match(problems[0], /it is of other kernels "[0-9a-f]{16}", expected "[0-9a-f]{16}"$/);
});

device("a word that is no way to choose is refused", async () => {
  const error = await multiply({ tune: "cache" as "cached" }).catch((reason: Error) => reason);
  assert.match(
    (error as Error).message,
    'Cannot choose kernels by "cache": expected one of off, cached, measure, did you mean "cached"?',
  );
});

test.run();
device.run();

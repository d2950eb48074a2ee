import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { Measured } from "../../../../backends/webgpu/tuning/choices.ts";
import { ChoiceStore } from "../../../../backends/webgpu/tuning/store.ts";

const test = suite<{ dir: string; file: string; before?: string }>("backends/webgpu/tuning/store");

test.before.each(async (context) => {
  context.before = process.env.XDG_CACHE_HOME;
  context.dir = await mkdtemp(join(tmpdir(), "onestep-tuning-"));
  context.file = join(context.dir, "onestep", "tuning-mesa-llvmpipe.json");
  process.env.XDG_CACHE_HOME = context.dir;
});
test.after.each(async ({ dir, before }) => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  await rm(dir, { recursive: true });
});

const here: Measured = { adapter: "mesa llvmpipe", driver: "Mesa 25", kernels: "0123" };
const tiles = { variant: "tiles", ms: { tiles: 1 } };
const lanes = { variant: "lanes", ms: { lanes: 2 } };

/** A store and what it complained of. */
async function open(of = here) {
  const problems: string[] = [];
  return {
    problems,
    store: await ChoiceStore.open(of, { onProblem: (text) => problems.push(text) }),
  };
}

test("choices outlive the store, in one file an adapter, and nothing else is left", async ({ file }) => {
  const first = await open();
  first.store.set("a", tiles);
  await first.store.save();
  const second = await open();
  assert.equal(second.store.get("a"), tiles);
  assert.equal([...first.problems, ...second.problems], []);
  assert.equal(await readdir(join(file, "..")), ["tuning-mesa-llvmpipe.json"]);
});

test("nothing is written when nothing was measured", async ({ dir }) => {
  const { store } = await open();
  await store.save();
  assert.equal(await readdir(dir).then((names) => names.includes("tuning-mesa-llvmpipe.json")), false);
});

test("two processes that measure at once keep what both found", async () => {
  const [one, other] = [await open(), await open()];
  one.store.set("a", tiles);
  other.store.set("b", lanes);
  await one.store.save();
  await other.store.save();
  const { store } = await open();
  assert.equal([store.get("a"), store.get("b")], [tiles, lanes]);
});

test("a file of another driver or damaged: one note, no choice, and replaced by the next measurement", async ({
  file,
}) => {
  const old = await open({ ...here, driver: "Mesa 24" });
  old.store.set("a", tiles);
  await old.store.save();
  for (const [text, reason] of [
    [await readFile(file, "utf8"), /it is of other driver "Mesa 24", expected "Mesa 25"$/],
    ["{ not json", /it is damaged or of another version$/],
    ["x".repeat(5 * 2 ** 20), /it has 5242880 bytes, expected at most 4194304$/],
  ] as const) {
    await writeFile(file, text);
    const { store, problems } = await open();
    assert.is(store.get("a"), undefined);
    store.set("b", lanes);
    await store.save();
    assert.is(problems.length, 1);
    assert.match(problems[0], reason);
    assert.ok(problems[0].startsWith(`Cannot use the tuning cache ${file}: `));
    const next = await open();
    assert.equal([next.store.get("b"), next.problems], [lanes, []]);
  }
});

test("a folder in the file's place, or no cache folder at all: a note, and choices of this run", async ({
  dir,
  file,
}) => {
  await mkdir(file, { recursive: true });
  const { store, problems } = await open();
  store.set("a", tiles);
  await store.save();
  assert.equal(store.get("a"), tiles);
  assert.is(problems.length, 1);
  assert.match(problems[0], /it is no file$/);
  assert.equal(await readdir(join(dir, "onestep")), ["tuning-mesa-llvmpipe.json"]);

  const before = { HOME: process.env.HOME, TMPDIR: process.env.TMPDIR };
  Object.assign(process.env, { XDG_CACHE_HOME: "/proc/no", HOME: "/proc/no", TMPDIR: "/proc/no" });
  try {
    const none = await open();
    none.store.set("a", tiles);
    await none.store.save();
    assert.equal(none.store.get("a"), tiles);
    assert.is(none.problems.length, 1);
  } finally {
    for (const [key, value] of Object.entries(before))
      if (value === undefined) delete process.env[key];
      else process.env[key] = value;
  }
});

test("a store that is not on disk touches no file", async ({ dir }) => {
  const store = await ChoiceStore.open(here, { onDisk: false });
  store.set("a", tiles);
  await store.save();
  assert.equal(store.get("a"), tiles);
  assert.equal(await readdir(dir), []);
});

test.run();

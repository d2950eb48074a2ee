// Roles with low-rank adapters over one base: what is stored, what moves, and what their files hold.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { WasmBackend } from "../../../../backends/wasm/mod.ts";
import { decodeSafetensors } from "../../../../core/io/safetensors.ts";
import { isLora } from "../../../../core/nn/mod.ts";
import { composeRun, planRun, readWeights } from "../../../../core/train/mod.ts";
import { memoryFiles } from "../../../helpers/memoryFiles.ts";
import { rejected } from "../../../helpers/thrown.ts";
import { beginAll, stageOf, tinyConfig, tinyRun } from "../support.ts";

const test = suite("core/train/adapters");

const lora = { rank: 2, alpha: 2, targets: ["net.0", "out"] };
const ADAPTED = { generator: { lora }, critic: { lora }, averages: { generator: { use: "ema", halfLife: 100 } } };
const bits = (data: ArrayLike<number>) => String(new Uint32Array(Float32Array.from(data).buffer));

test("the weights below are on the device once; only adapters and the head have gradients, moments and averages", async () => {
  const { run } = await tinyRun(ADAPTED);
  const { players, memory } = run.trainer;
  const { teacher, generator, critic } = players;
  const named = ({ layout }: typeof teacher) => layout.entries.map(({ name }) => name);
  assert.ok(named(generator).every(isLora));
  assert.ok(named(critic).every((name) => isLora(name) || name.startsWith("cls_pred_branch.")));
  assert.is(named(generator).length, named(critic).filter(isLora).length);

  // Every state of the two is a copy, a moment or an average of these and of nothing else.
  const sizeOf = ({ layout }: typeof teacher) => layout.arenas.reduce((a, b) => a + b, 0);
  const elements = async (owner: string) => {
    const own = memory.names().filter((name) => name.startsWith(`${owner}.`));
    return (await Promise.all(own.map((name) => memory.read(name)))).reduce((sum, { length }) => sum + length, 0);
  };
  assert.is(await elements("generator"), 4 * sizeOf(generator), "weights, two moments, an average");
  assert.is(await elements("critic"), 3 * sizeOf(critic));
  const resolved = tinyConfig(ADAPTED);
  const container = await composeRun(resolved, new ReferenceBackend(), {});
  const plan = await planRun(container, resolved.settings, new ReferenceBackend());
  for (const role of ["teacher", "generator", "critic"])
    assert.is(
      [...plan.states].filter(([name]) => name.startsWith(`${role}.`)).reduce((sum, [, bytes]) => sum + bytes, 0),
      4 * (await elements(role)),
      `bytes of the ${role} as planned`,
    );
  await container.dispose();

  await beginAll(run.trainer);
  const before = await Promise.all([teacher, generator, critic].map((player) => player.read("weights")));
  await run.trainer.train(stageOf(run.trainer, "distillation"));
  const after = await Promise.all([teacher, generator, critic].map((player) => player.read("weights")));
  const moved = after.map((tensors, i) =>
    Object.keys(tensors).filter((name) => bits(tensors[name].data) !== bits(before[i][name].data)),
  );
  assert.equal(moved[0], [], "the base");
  assert.equal(moved[1], named(generator));
  assert.equal(moved[2], named(critic));
  await run.dispose();
});

test("at first an adapted role is the teacher itself, on every device that shares its states", async () => {
  const backend = await WasmBackend.open({ threads: 1 });
  const { run } = await tinyRun({ ...ADAPTED, generator: { lora, sigmas: [5] }, sampler: { steps: 1 } }, { backend });
  await beginAll(run.trainer);
  const whole = await tinyRun({ generator: { sigmas: [5] } }, { backend });
  await beginAll(whole.run.trainer);
  whole.run.trainer.players.generator.load(await run.trainer.players.teacher.read("served"));
  const drawn = await Promise.all([run, whole.run].map((each) => each.draw("generator", 4, 1)));
  assert.is(bits(drawn[0].x), bits(drawn[1].x));
  await run.dispose();
  await whole.run.dispose();
  await backend.close();
});

test("a file of adapters finds the weights below them, and holds them to their hash", async () => {
  const files = memoryFiles();
  const { run } = await tinyRun(ADAPTED, { output: { files, path: "out" } });
  await run.start();
  const { generator, teacher } = run.trainer.players;
  const own = decodeSafetensors(files.contents.get("out/generator.safetensors")!).tensors;
  assert.equal(Object.keys(own).sort(), generator.layout.entries.map(({ name }) => name).sort());
  const { tensors, info } = await readWeights(files, "out/generator.safetensors");
  assert.is(info.base?.file, "teacher.safetensors");
  const below = await teacher.read("served");
  for (const [name, { data }] of Object.entries(below)) assert.is(bits(tensors[name].data), bits(data), name);
  const critic = await readWeights(files, "out/critic.safetensors");
  assert.is(critic.info.base?.prefix, "fake_unet.");
  assert.ok(Object.hasOwn(critic.tensors, "fake_unet.out.weight"));

  const teacherFile = files.contents.get("out/teacher.safetensors")!;
  const changed = teacherFile.slice();
  changed[changed.length - 1] ^= 1;
  files.contents.set("out/teacher.safetensors", changed);
  assert.match(
    (await rejected(readWeights(files, "out/generator.safetensors"))).message,
    /it holds adapters, and out\/teacher.safetensors has other weights than those that they were trained over/,
  );
  files.contents.delete("out/teacher.safetensors");
  const missing = await rejected(readWeights(files, "out/generator.safetensors"));
  assert.match(missing.message, /the weights below them are not there, should be out\/teacher.safetensors/);
  files.contents.set("out/teacher.safetensors", teacherFile);
  await run.dispose();

  // Another run goes on from the adapters, over the same teacher only.
  const start = { teacher: "out/teacher.safetensors", generator: "out/generator.safetensors" };
  const next = { ...ADAPTED, method: { teacher: { steps: 0 } }, start };
  const again = await tinyRun(next, { output: { files, path: "next" } });
  await beginAll(again.run.trainer);
  const taken = await again.run.trainer.players.generator.read("weights");
  assert.is(bits(taken["out.lora_B.default.weight"].data), bits(tensors["out.lora_B.default.weight"].data));
  await again.run.dispose();
  files.contents.set("other.safetensors", changed);
  const refused = await rejected(
    tinyRun({ ...next, start: { ...start, teacher: "other.safetensors" } }, { output: { files, path: "third" } }),
  );
  assert.match(refused.message, /adapters were trained over other weights than those of the teacher/);
});

test("a resumed run of adapters ends with the bits of one that was not stopped", async () => {
  const whole = await tinyRun(ADAPTED, { output: { files: memoryFiles(), path: "out" } });
  await whole.run.start();
  const files = memoryFiles();
  const first = await tinyRun(ADAPTED, { output: { files, path: "out" } });
  first.run.bus.on("step/end", ({ stage, step }) => {
    if (stage === "distillation" && step === 0) first.run.send({ type: "stop" });
  });
  assert.is((await first.run.start()).reason, "stopped");
  await first.run.dispose();
  const second = await tinyRun(ADAPTED, { output: { files, path: "out", existing: "resume" } });
  await second.run.start();
  for (const role of ["generator", "critic"]) {
    const [a, b] = await Promise.all([whole, second].map(async ({ run }) => run.trainer.players[role].read("weights")));
    for (const name of Object.keys(a)) assert.is(bits(a[name].data), bits(b[name].data), `${role} ${name}`);
  }
  await whole.run.dispose();
  await second.run.dispose();
});

test.run();

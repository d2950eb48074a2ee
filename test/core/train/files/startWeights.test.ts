// Runs that start from files of weights: what they take from them, and every way in which a file can be wrong.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { OnestepError } from "../../../../core/errors.ts";
import { METHOD } from "../../../../core/interfaces/mod.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "../../../../core/io/safetensors.ts";
import { readStartFiles } from "../../../../core/train/files/startWeights.ts";
import { composeRun, mergeConfig, type RunConfig, resolveConfig, type StartFiles } from "../../../../core/train/mod.ts";
import { type MemoryFiles, memoryFiles } from "../../../helpers/memoryFiles.ts";
import { thrown } from "../../../helpers/thrown.ts";
import { beginAll, registry, statesOf, tiny, tinyRun } from "../support.ts";

const test = suite("core/train/startWeights");

type Tensors = Record<string, StoredTensor>;
const ROLES = ["teacher", "generator", "critic"] as const;
const TAUGHT = { train: { steps: 2 }, method: { teacher: { steps: 0 } } };

/** The folder of a finished run, with weights of all roles for others to start from. */
const earlier = memoryFiles();
test.before(async () => {
  const { run } = await tinyRun({}, { output: { files: earlier, path: "out" } });
  await run.start();
  await run.dispose();
});
const weightsOf = (role: string): Tensors => ({
  ...decodeSafetensors(earlier.contents.get(`out/${role}.safetensors`)!).tensors,
});
const valuesOf = (tensors: Tensors) =>
  Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, [...data]]));

/** A new run beside what the earlier one left and `added` files. */
async function startedFrom(
  start: unknown,
  {
    added = {},
    over = TAUGHT,
    files = copy(added),
  }: { added?: Record<string, Tensors>; over?: object; files?: MemoryFiles } = {},
) {
  const { run } = await tinyRun({ ...over, start }, { output: { files, path: "new" } });
  const weights = async (role: (typeof ROLES)[number]) =>
    valuesOf((await run.trainer.players[role].read("weights")) as unknown as Tensors);
  return { run, weights, files };
}
const copy = (added: Record<string, Tensors>) =>
  memoryFiles({
    ...Object.fromEntries(earlier.contents),
    ...Object.fromEntries(Object.entries(added).map(([name, t]) => [name, encodeSafetensors(t)])),
  });

/** The error of a start that is refused; the new folder must not be there. */
async function refused(start: unknown, added: Record<string, Tensors> = {}): Promise<OnestepError> {
  const files = copy(added);
  const error = await startedFrom(start, { files }).then(
    () => undefined,
    (reason) => reason,
  );
  assert.instance(error, OnestepError);
  assert.not.ok(await files.exists("new"), "a refused run leaves nothing");
  return error;
}

test("weights are those of the files; moments, averages and steps begin anew", async () => {
  const start = Object.fromEntries(ROLES.map((role) => [role, `out/${role}.safetensors`]));
  const { run, weights } = await startedFrom(start);
  await beginAll(run.trainer);
  const states = await statesOf(run);
  for (const role of ROLES) {
    assert.equal(await weights(role), valuesOf(weightsOf(role)), role);
    assert.ok(
      states[`${role}.moment1.0`].every((value) => value === 0),
      role,
    );
    assert.is(run.trainer.players[role].updates, 0);
  }
  assert.equal(states["generator.average.0"], states["generator.weights.0"]);
  assert.not.equal(states["generator.weights.0"], states["teacher.weights.0"]);
  await run.dispose();
});

test("a teacher alone: generator and critic inherit from it", async () => {
  const { run, weights } = await startedFrom({ teacher: "out/teacher.safetensors" });
  await beginAll(run.trainer);
  const teacher = valuesOf(weightsOf("teacher"));
  assert.equal(await weights("generator"), teacher);
  const critic = await weights("critic");
  for (const name of Object.keys(teacher)) assert.equal(critic[`fake_unet.${name}`], teacher[name], name);
  await run.dispose();
});

test("a teacher with weights has no steps of training unless the config says so", async () => {
  const steps = async (start: StartFiles, over: object) => {
    const { method: _, ...rest } = tiny;
    const resolved = resolveConfig(mergeConfig({ ...rest, start }, over) as RunConfig, registry());
    const container = await composeRun(resolved, new ReferenceBackend(), {});
    return container.get(METHOD).stages.map((stage) => stage.steps);
  };
  const bare = { method: { use: "dmd2" } };
  assert.equal(await steps({}, bare), [2000, 8]);
  assert.equal(await steps({ teacher: "t" }, bare), [0, 8]);
  assert.equal(await steps({ generator: "t" }, bare), [2000, 8]);
  assert.equal(await steps({ teacher: "t" }, { method: tiny.method }), [4, 8]);
});

test("a run that goes on does not read the files again, and keeps their paths", async () => {
  const start = { teacher: "out/teacher.safetensors", critic: "out/critic.safetensors" };
  const { run, files } = await startedFrom(start);
  await run.start();
  await run.dispose();
  const config = JSON.parse(new TextDecoder().decode(files.contents.get("new/config.json")));
  assert.equal(config.start, start);
  for (const name of Object.values(start)) files.contents.delete(name);
  const output = { files, path: "new", existing: "resume" } as const;
  const longer = { ...TAUGHT, train: { steps: 4 }, start };
  const { run: on } = await tinyRun(longer, { output });
  assert.is((await on.start()).reason, "complete");
  await on.dispose();
});

test("a generator's file waits for the end of the teacher's training, also when that is resumed", async () => {
  const start = { generator: "out/generator.safetensors" };
  const over = { train: { steps: 0 }, method: { teacher: { steps: 4 } } };
  const { run, files } = await startedFrom(start, { over });
  run.bus.on("step/end", ({ step }) => void (step === 1 && run.stop()));
  assert.is((await run.start()).reason, "stopped");
  await run.dispose();
  const output = { files, path: "new", existing: "resume" } as const;
  const { run: on } = await tinyRun({ ...over, start }, { output });
  await on.start();
  const states = await statesOf(on);
  await on.dispose();
  assert.equal(states["generator.weights.0"].slice(0, 5), [...weightsOf("generator")["net.0.weight"].data].slice(0, 5));
});

test("EDM's wrapper may stand before all names of a file, and not before some", async () => {
  const wrapped = (count: number) =>
    Object.fromEntries(
      Object.entries(weightsOf("teacher")).map(([name, tensor], i) => [i < count ? `model.${name}` : name, tensor]),
    );
  const { run, weights } = await startedFrom({ teacher: "w" }, { added: { w: wrapped(99) } });
  assert.equal(await weights("teacher"), valuesOf(weightsOf("teacher")));
  await run.dispose();
  assert.match((await refused({ teacher: "w" }, { w: wrapped(1) })).message, /unexpected model\./);
});

test("a critic without a discriminator gets a fresh one; half a discriminator is refused", async () => {
  const all = weightsOf("critic");
  const head = Object.keys(all).filter((name) => name.startsWith("cls_pred_branch."));
  const body = Object.fromEntries(Object.entries(all).filter(([name]) => !head.includes(name)));
  const { run, weights } = await startedFrom({ critic: "c" }, { added: { c: body } });
  await beginAll(run.trainer);
  const found = await weights("critic");
  assert.equal(Object.keys(found).sort(), Object.keys(all).sort());
  for (const name of Object.keys(body)) assert.equal(found[name], [...body[name].data], name);
  assert.not.equal(found[head[0]], [...all[head[0]].data], "the trained one");
  await run.dispose();
  const half = { ...body, [head[0]]: all[head[0]] };
  const { message } = await refused({ critic: "c" }, { c: half });
  for (const name of head.slice(1)) assert.ok(message.includes(`missing ${name}`), message);
});

test("missing, unexpected and mis-shaped names come in one error, with the nearest", async () => {
  const { "net.0.weight": first, "out.bias": last, ...rest } = weightsOf("teacher");
  const wrong: Tensors = {
    ...rest,
    "net.0.wieght": first,
    "out.bias": { ...last, shape: [1, 2] } as StoredTensor,
    stray: last,
  };
  const error = await refused({ teacher: "w" }, { w: wrong });
  assert.is(error.code, "E_CHECKPOINT");
  assert.is(
    error.message,
    'Cannot start the teacher from w: unexpected net.0.wieght, did you mean "net.0.weight"?; unexpected stray; ' +
      'missing net.0.weight, did you mean "net.0.wieght"?; out.bias is [1, 2], expected [2]',
  );
});

test("a file that is no safetensors, of integers or not finite is refused", async () => {
  const { message } = await refused({ teacher: "out/config.json" });
  assert.match(message, /^Cannot read out\/config.json: its header/);
  const teacher = weightsOf("teacher");
  const whole: StoredTensor = { dtype: "I32", shape: [2], data: Int32Array.of(1, 2) };
  const integer = await refused({ teacher: "w" }, { w: { ...teacher, "out.bias": whole } });
  assert.match(integer.message, /out\.bias is I32, should be one of F64, F32, F16, BF16/);
  const broken: StoredTensor = { dtype: "F32", shape: [2], data: Float32Array.of(1, Number.NaN) };
  const nan = await refused({ teacher: "w" }, { w: { ...teacher, "out.bias": broken } });
  assert.match(nan.message, /out\.bias holds NaN or infinity/);
  assert.is((await refused({ teacher: "nowhere" })).code, "E_FILE");
});

test("a role that joins at once has its file read one tensor at a time, one that joins later before the folder is replaced", async () => {
  const files = copy({});
  const whole: string[] = [];
  const read = files.read.bind(files);
  files.read = (path) => {
    whole.push(path);
    return read(path);
  };
  const start = { teacher: "out/teacher.safetensors", generator: "out/generator.safetensors" };
  const { run } = await tinyRun({ ...TAUGHT, start }, { output: { files, path: "out", existing: "replace" } });
  const weights = async (role: (typeof ROLES)[number]) =>
    valuesOf((await run.trainer.players[role].read("weights")) as unknown as Tensors);
  assert.not.ok(whole.some((path) => path.endsWith("teacher.safetensors")));
  assert.equal(await weights("teacher"), valuesOf(weightsOf("teacher")));
  await run.trainer.begin(run.trainer.method.stages[1]);
  assert.equal(await weights("generator"), valuesOf(weightsOf("generator")));
  await run.dispose();
});

test("a file that is still to be named, and one for a role without parameters", async () => {
  const open = await refused({ teacher: null });
  assert.is(open.code, "E_CONFIG");
  assert.match(open.fix, /--set start\.teacher=FILE/);
  const files = memoryFiles(Object.fromEntries(earlier.contents));
  const over = { teacher: { use: "gaussian-mixture" }, losses: { "edm-denoising": false } };
  const error = await startedFrom({ teacher: "out/teacher.safetensors" }, { over, files }).catch((reason) => reason);
  assert.match(error.message, /^Cannot start the teacher from .* it has no parameters/);
});

test("a file of a role that the method does not have, with what was meant", async () => {
  const error = await refused({ techer: "t" });
  assert.is(error.code, "E_UNKNOWN_OPTION");
  assert.is(
    error.message,
    'Cannot configure start: "techer" is not one of teacher, generator, critic, did you mean "teacher"?',
  );
});

test("readStartFiles: paths only", () => {
  assert.equal(readStartFiles({ teacher: "t", generator: null, critic: false }), {
    teacher: "t",
    generator: null,
  });
  for (const file of ["", 3, true, {}, []]) assert.is(thrown(() => readStartFiles({ teacher: file })).code, "E_OPTION");
});

test.run();

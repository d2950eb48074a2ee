// The observers `csv` and `tensorboard`: what they write, and that a run which goes on tells of every step once.
import { readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { Container } from "../../../core/di/mod.ts";
import { OBSERVERS, OUTPUT_FOLDER } from "../../../core/interfaces/mod.ts";
import { crc32c } from "../../../core/io/mod.ts";
import { type AnyPlugin, Registry } from "../../../core/plugin/mod.ts";
import { EventBus, mergeConfig, Run, resolveConfig } from "../../../core/train/mod.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { csv, csvFormat } from "../../../plugins/observers/csv.ts";
import type { ScalarFormat } from "../../../plugins/observers/shared/scalarFile.ts";
import { masked, tfEvents } from "../../../plugins/observers/shared/tfEvents.ts";
import { tensorboard } from "../../../plugins/observers/tensorboard.ts";
import { scratch, tinyConfig } from "../../examples/cli/program.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { play, scalars } from "./scene.ts";

const test = suite("plugins/observers scalar files");

const kinds = {
  csv: { plugin: csv, file: "out/scalars.csv", format: csvFormat },
  tensorboard: { plugin: tensorboard, file: "out/events.out.tfevents.onestep", format: tfEvents },
} satisfies Record<string, { plugin: AnyPlugin; file: string; format: ScalarFormat }>;

type Files = ReturnType<typeof memoryFiles>;

/** A bus that the plugin's observer watches. */
function watched(plugin: AnyPlugin, files: Files): EventBus {
  const container = new Container().value(OUTPUT_FOLDER, { files, path: "out" }, "the test");
  plugin.configure().install(container);
  const bus = new EventBus();
  for (const observer of container.all(OBSERVERS)) observer.observe(bus);
  return bus;
}

/** Step and group of each reading; the table has a line for each number of one. */
const told = (files: Files, { file, format }: (typeof kinds)["csv"]): string[] => {
  const bytes = files.contents.get(file)!;
  const readings = [...format.readings(bytes, format.headEnd(bytes)!)];
  assert.is(readings.at(-1)?.end, bytes.length, "nothing else is in the file");
  return once(readings);
};

const once = (readings: readonly { step: number; group: string }[]): string[] => {
  const names = readings.map(({ step, group }) => `${step} ${group}`);
  return names.filter((each, i) => each !== names[i - 1]);
};

test("CRC-32C has the values of RFC 3720, B.4, and of the catalogue of check sums", () => {
  const ramp = Uint8Array.from({ length: 32 }, (_, i) => i);
  assert.is(crc32c(new Uint8Array(32)), 0x8a9136aa);
  assert.is(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43);
  assert.is(crc32c(ramp), 0x46dd794e);
  assert.is(crc32c(ramp.toReversed()), 0x113fdb5c);
  const digits = new TextEncoder().encode("123456789");
  assert.is(crc32c(digits), 0xe3069283);
  assert.is(crc32c(digits.subarray(4), crc32c(digits.subarray(0, 4))), 0xe3069283);
});

test("an event file begins as TensorFlow's do: 24 bytes that end with the version, their length masked a37f4b22", () => {
  const head = tfEvents.head();
  assert.equal([...head.subarray(0, 12)], [24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22]);
  assert.is(new TextDecoder().decode(head.subarray(21, 36)), "\u001a\rbrain.Event:2");
  assert.is(head.length, 12 + 24 + 4);
  assert.is(masked(0), 0xa282ead8);
});

test("a reading is one event: step, and a tag with a number for each value", () => {
  const values = { sw: 0.5, in2: Number.NaN };
  const bytes = tfEvents.encode({
    stage: "distillation",
    stageStep: 10,
    step: 300,
    group: "metrics/generator",
    values,
  });
  const data = [...bytes.subarray(12, -4)];
  assert.equal(data.slice(9, 12), [0x10, 0xac, 0x02], "300 as a varint");
  const tag = (text: string) => [0x0a, text.length, ...new TextEncoder().encode(text)];
  const value = (text: string, number: number[]) => {
    const body = [...tag(text), 0x15, ...number];
    return [0x0a, body.length, ...body];
  };
  const summary = [
    ...value("metrics/generator/sw", [0, 0, 0, 0x3f]),
    ...value("metrics/generator/in2", [0, 0, 0xc0, 0x7f]),
  ];
  assert.equal(data.slice(12), [0x2a, summary.length, ...summary]);
  assert.equal([...tfEvents.readings(bytes, 0)], [{ step: 300, group: "metrics/generator", end: bytes.length }]);
});

test("the table has a line for each number, which RFC 4180 reads", async () => {
  const files = memoryFiles();
  const bus = watched(csv, files);
  await play(bus, { teacher: 1, distillation: 1 });
  bus.emit("samples/judged", { who: "data", nfe: 0, count: 5, metrics: { 'odd, "name"': Number.POSITIVE_INFINITY } });
  bus.emit("run/end", { steps: 2, reason: "complete" });
  await bus.settled();
  assert.is(
    new TextDecoder().decode(files.contents.get("out/scalars.csv")),
    [
      "step,stage,stage_step,group,name,value",
      "0,teacher,0,teacher,denoising,1",
      "0,teacher,0,teacher,gradient-norm,9",
      "1,distillation,0,generator,matching,10",
      "1,distillation,0,critic,fake,20",
      '2,distillation,1,metrics/data,"odd, ""name""",Infinity\n',
    ].join("\n"),
  );
  assert.equal(told(files, kinds.csv), ["0 teacher", "1 generator", "1 critic", "2 metrics/data"]);
});

for (const [name, kind] of Object.entries(kinds)) {
  const judge = (bus: EventBus, step: number) =>
    bus.emit("learner/judged", {
      ...{ stage: "distillation", role: "generator", step, nfe: 1, count: 5, seconds: 1, best: true },
      metrics: { sw: step },
    });

  test(`${name}: wherever the file was cut, a resumed run goes on with every step once`, async () => {
    const files = memoryFiles();
    await play(watched(kind.plugin, files), { teacher: 2, distillation: 7, logEvery: 1 });
    const whole = told(files, kind);
    assert.is(whole.length, 2 + 7 + 4);
    const bytes = files.contents.get(kind.file)!;
    const head = kind.format.headEnd(bytes)!;
    assert.equal([...kind.format.readings(bytes, 0)], [], "a head is no reading");
    for (let length = 0; length <= bytes.length; length += 7) {
      const cut = memoryFiles();
      cut.contents.set(kind.file, bytes.slice(0, length));
      const kept = length < head ? 0 : once([...kind.format.readings(bytes.slice(0, length), head)]).length;
      await play(watched(kind.plugin, cut), { distillation: 7, teacher: 0, start: 4, logEvery: 1 });
      const now = told(cut, kind);
      assert.is(new Set(now).size, now.length, `cut at ${length}: ${now}`);
      // The stage before has no steps now, so that steps of this one count from 0.
      const before = whole.slice(0, kept).filter((each) => Number.parseInt(each, 10) < 4);
      assert.equal(now.slice(0, before.length), before);
      assert.equal(now.slice(before.length), ["4 generator", "4 critic", "5 critic", "6 generator", "6 critic"]);
    }
  });

  test(`${name}: a run that goes back, or judges once more, leaves no step twice`, async () => {
    const files = memoryFiles();
    const bus = watched(kind.plugin, files);
    const update = (step: number) =>
      bus.emit("role/updated", { stage: "distillation", role: "critic", step, losses: scalars({ fake: step }).losses });
    const stages = [{ name: "distillation", steps: 4 }];
    const begin = (over = {}) =>
      bus.emit("run/start", { seed: 0, steps: 4, stages, device: "", config: { train: { logEvery: 1 } }, ...over });
    begin();
    for (const step of [0, 1, 2]) update(step);
    judge(bus, 3);
    bus.emit("run/rolled-back", { stage: "distillation", step: 1, rate: 0.5 });
    for (const step of [1, 2]) update(step);
    judge(bus, 3);
    await bus.settled();
    begin();
    judge(bus, 3);
    update(3);
    await bus.settled();
    begin();
    for (const who of ["data", "generator"]) bus.emit("samples/judged", { who, nfe: 1, count: 5, metrics: { sw: 1 } });
    bus.emit("run/end", { steps: 4, reason: "complete" });
    await bus.settled();
    begin();
    for (const who of ["data", "generator"]) bus.emit("samples/judged", { who, nfe: 1, count: 5, metrics: { sw: 1 } });
    bus.emit("run/end", { steps: 4, reason: "complete" });
    await bus.settled();
    const critic = [0, 1, 2].map((step) => `${step} critic`);
    const last = ["4 metrics/data", "4 metrics/generator"];
    assert.equal(told(files, kind), [...critic, "3 metrics/generator", "3 critic", ...last]);
  });

  test(`${name}: a file of somebody else's stays as it is, with one warning`, async () => {
    const files = memoryFiles();
    const mine = new TextEncoder().encode("my own table, of great worth to me and longer than any head\n");
    files.contents.set(kind.file, mine);
    const bus = watched(kind.plugin, files);
    const warnings: string[] = [];
    bus.on("run/warning", ({ source, message }) => void warnings.push(`${source}: ${message}`));
    await play(bus, { distillation: 4 });
    assert.equal(files.contents.get(kind.file), mine);
    assert.is(warnings.length, 1);
    assert.match(warnings[0], `${name}: Cannot handle role/updated: Cannot write ${kind.file}: it is there and not of`);
  });

  test(`${name}: what a full disk has refused is written later, once`, async () => {
    const files = memoryFiles();
    let full = true;
    const append: Files["append"] = async (path, content) => {
      await files.append(path, full ? content.slice(0, 9) : content);
      if (full) throw new Error("full");
    };
    const bus = watched(kind.plugin, { ...files, append });
    const warnings: unknown[] = [];
    bus.on("run/warning", (event) => void warnings.push(event));
    bus.emit("run/start", { seed: 0, steps: 9, stages: [{ name: "distillation", steps: 9 }], device: "", config: {} });
    for (const step of [1, 2]) {
      judge(bus, step);
      bus.emit("checkpoint/saved", { step, path: "", bytes: 0 });
      await bus.settled();
    }
    full = false;
    bus.emit("run/end", { steps: 9, reason: "complete" });
    await bus.settled();
    assert.equal(told(files, kind), ["1 metrics/generator", "2 metrics/generator"]);
    assert.is(warnings.length, 1);
  });

  test(`${name}: needs a folder of results`, () => {
    const container = new Container();
    kind.plugin.configure().install(container);
    assert.throws(() => container.all(OBSERVERS), /^Cannot use the observer .* has no folder of results/);
  });
}

test("a run with both, stopped and resumed, has what one has that was not stopped", async () => {
  const { path, remove } = scratch();
  const config = JSON.parse(readFileSync(tinyConfig(path("tiny.json")), "utf8"));
  remove();
  const over = { observers: { csv: {}, tensorboard: {} }, train: { logEvery: 1, sampleEvery: 0, evaluateEvery: 4 } };
  const resolved = resolveConfig(mergeConfig(config, over), new Registry().register(allPlugins));
  const trained = async (stopAt?: number) => {
    const files = memoryFiles();
    const go = async (existing?: "resume") => {
      const output = { files, path: "out", existing };
      const run = await Run.create({ resolved, backend: new ReferenceBackend(), output });
      run.bus.on("step/end", ({ stage, step }) => {
        if (!existing && stage === "distillation" && step === stopAt) run.stop();
      });
      const { reason } = await run.start();
      await run.dispose();
      return reason;
    };
    if ((await go()) === "stopped") await go("resume");
    return files;
  };
  const [whole, resumed] = [await trained(), await trained(5)];
  for (const kind of Object.values(kinds)) {
    const steps = told(whole, kind);
    assert.ok(steps.includes("20 generator") || steps.includes("19 generator"), `${steps}`);
    assert.ok(steps.includes("21 metrics/generator"), `${steps}`);
    assert.equal(told(resumed, kind), steps);
  }
  const table = (files: Files) => new TextDecoder().decode(files.contents.get(kinds.csv.file));
  assert.is(table(resumed), table(whole));
});

test.run();

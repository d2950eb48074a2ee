import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EventBus } from "../../../core/train/mod.ts";
import { lastSamples } from "../../../plugins/observers/lastSamples.ts";
import { runPage } from "../../../plugins/observers/runPage.ts";
import { unbalanced } from "../../helpers/htmlTags.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";

const test = suite("plugins/observers/runPage");

const events = [
  { type: "run/start", device: "wasm: 2 threads" },
  { type: "role/updated", stage: "distillation", role: "critic", step: 0, losses: { "fake-score": 2 } },
  { type: "role/updated", stage: "distillation", role: "critic", step: 50, losses: { "fake-score": "NaN" } },
  {
    type: "learner/judged",
    stage: "distillation",
    role: "generator",
    step: 50,
    metrics: { fid: 9, "fid ±": 1 },
    seconds: 1,
  },
  {
    type: "health/warned",
    monitor: "collapse",
    stage: "distillation",
    step: 50,
    steps: 100,
    message: "samples are alike",
    advice: "lower <rates>",
    severe: true,
  },
  { type: "samples/judged", who: "data", nfe: 0, count: 10, metrics: { fid: 1 } },
  { type: "samples/judged", who: "generator", nfe: 1, count: 10, metrics: { fid: 7.5, "fid ±": 0.5 } },
  { type: "samples/judged", who: 3 },
  { type: "run/end", reason: "complete" },
];
const log = (lines: readonly object[]) => `${lines.map((line) => JSON.stringify(line)).join("\n")}\n{"type": "cut`;
const pageOf = (lines: readonly object[], more: object = {}) =>
  runPage({
    files: memoryFiles({ log: new TextEncoder().encode(log(lines)) }),
    events: "log",
    title: "Run a<b",
    config: { train: { seed: 0 } },
    ...more,
  });

/** What two roles drew: images of one grey level. */
async function drawn() {
  const bus = new EventBus();
  const shown = lastSamples();
  shown.observe(bus);
  for (const [role, nfe, level] of [
    ["teacher", 35, -1],
    ["generator", 1, 1],
  ] as const) {
    const samples = { shape: [30, 1, 2, 2], read: async () => new Float32Array(120).fill(level) };
    bus.emit("sample/drawn", { role, nfe, step: 50, samples });
  }
  await bus.settled();
  return [...shown.sets.values()];
}

test("result, samples of roles on the same noise, courses, warnings and settings", async () => {
  const page = await pageOf(events, { samples: await drawn(), captions: (i: number) => String(i % 10) });
  assert.equal(unbalanced(page), []);
  const titles = [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title);
  assert.equal(titles, ["Result", "teacher beside generator", "Judged on the way", "Losses", "Health", "Settings"]);
  assert.match(
    page,
    /<th scope="row">generator<\/th><td class="number">1<\/td>.*<td class="number">7.500 ± 0.500<\/td>/,
  );
  assert.match(page, /alt="teacher, NFE 35, label 3, noise 3"/);
  assert.is(page.match(/<img /g)?.length, 40);
  assert.match(page, /seed 99/);
  assert.match(page, /lower &lt;rates&gt;/);
  assert.match(page, /complete, on wasm: 2 threads/);
});

test("points in the plane stand beside real ones", async () => {
  const set = (role: string) => ({ role, step: 1, nfe: 1, shape: [2], x: Float32Array.of(0, 1, 1, 0) });
  const page = await pageOf([], { samples: [set("teacher"), set("generator")], real: Float32Array.of(0, 0) });
  assert.equal(
    [...page.matchAll(/ alt="([^"]*)"/g)].map(([, alt]) => alt),
    ["real data", "teacher, NFE 1", "generator, NFE 1"],
  );
});

test("a run that has not ended, or failed, is told as that", async () => {
  assert.match(await pageOf(events.slice(0, 2)), /not finished, on wasm/);
  const failed = [...events.slice(0, 2), { type: "run/failed", error: { message: "a loss is NaN" } }];
  assert.match(await pageOf(failed), /failed: a loss is NaN/);
  assert.match(await runPage({ files: memoryFiles(), events: "log", title: "t", config: {} }), /not finished/);
});

test.run();

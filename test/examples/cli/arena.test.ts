// Methods side by side: two tiny ones by the command line, run, stopped, gone on with, refused; and every method's config.
import { existsSync, readFileSync, statSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Registry } from "../../../core/plugin/mod.ts";
import { arenas } from "../../../examples/arena/arenas.ts";
import { named } from "../../../examples/arena/rows.ts";
import { ARENA, arena } from "../../../examples/cli/ablate/contest.ts";
import { expand, rowOf, sharesTeacher } from "../../../examples/cli/ablate/expand.ts";
import { type Plan, planOf } from "../../../examples/cli/ablate/plan.ts";
import { commands } from "../../../examples/cli/commands.ts";
import { imagenet64, sdxl } from "../../../examples/cli/evaluate/published.ts";
import { parseFlags } from "../../../examples/cli/parseFlags.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { onestep, scratch, start } from "./program.ts";

const test = suite("examples/cli/arena");
const { path, remove } = scratch();
test.after(remove);

const registry = new Registry().register(allPlugins);
const plan = (dataset: string, over: Partial<Plan> = {}): Plan => ({
  table: ARENA,
  dataset,
  budget: "quick",
  seeds: 1,
  samples: 1000,
  pairs: 1000,
  rows: Object.keys(arenas[dataset].table.rows),
  settings: [],
  ...over,
});

test("every method of every data set has a sound config, and starts from the one teacher where it can", async () => {
  for (const [dataset, { table }] of Object.entries(arenas)) {
    const expansion = await expand(plan(dataset), registry);
    assert.equal(Object.keys(expansion.rows), Object.keys(table.rows));
    const shared = { seed: 2, teacher: "t.safetensors", pairs: "p.safetensors" };
    for (const [name, config] of Object.entries(expansion.rows)) {
      const row = rowOf(expansion, config, shared);
      assert.is(row.train!.seed, 2, name);
      assert.equal(row.start, sharesTeacher(expansion, config) ? { teacher: "t.safetensors" } : config.start, name);
    }
  }
  const { rows } = arenas.gaussians.table;
  assert.equal([rows.dmd2.name, rows.dmd2.quoted], [named.dmd2.name, { "FID-64": 1.51, "FID-XL": 19.32 }]);
});

test("a row whose network is another trains its own teacher", async () => {
  const expansion = await expand(plan("gaussians", { rows: ["dmd2"] }), registry);
  const { dmd2 } = expansion.rows;
  const wider = { ...dmd2, network: { ...dmd2.network, width: 16 } };
  const row = rowOf(expansion, wider, { seed: 0, teacher: "t", pairs: "p" });
  assert.equal([row.start, row.method], [wider.start, wider.method]);
});

const small = [
  "network.width=8",
  "network.depth=1",
  "sampler.steps=3",
  "train.evaluateCount=20",
  "method.teacher.steps=5",
  "method.teacher.batch=8",
  "train.batch=8",
  "train.steps=9",
  "train.checkpointEvery=1",
];
const tiny = (methods: string, out: string) => [
  "arena",
  "--methods",
  methods,
  "--n",
  "200",
  "--out",
  out,
  "--device",
  "reference",
  ...small.flatMap((each) => ["--set", each]),
];
const read = (out: string) => JSON.parse(readFileSync(`${path(out)}/arena.json`, "utf8"));
const numbersIn = (out: string) =>
  read(out).rows.map(({ row, numbers }: { row: string; numbers: object }) => [row, numbers]);
const pngs = (out: string) => ["dmd2", "consistency"].map((name) => readFileSync(`${path(out)}/seed-0/${name}.png`));

test("two methods: one teacher, costs, a picture each on the same noise, and the table in three forms", async () => {
  const { code, stdout, stderr } = await onestep(...tiny("dmd2,consistency", path("whole")));
  assert.is(code, 0, stderr);
  assert.match(
    stdout,
    /Arena on gaussians, budget quick, 1 seed\n.*sw ↓ .*passes \(M\) +minutes +MiB +FID-64 ↓ \(quoted\)/,
  );
  const { finished, rows, teacher } = read("whole");
  assert.ok(finished);
  assert.is(teacher.cost, undefined);
  const [consistency, dmd2] = rows;
  assert.equal([consistency.row, dmd2.row, consistency.nfe], ["consistency", "dmd2", 1]);
  // An update of consistency distillation: two calls of the teacher, one of the target, one of the generator and back, about two more.
  const perSample = consistency.cost.passes / (9 * 8);
  assert.ok(perSample > 5 && perSample < 6.1, `${perSample}`);
  // The critic's head is larger than this small network.
  assert.ok(dmd2.cost.passes > consistency.cost.passes);
  for (const { cost } of rows) assert.ok(cost.minutes > 0 && cost.bytes > 1000);
  for (const png of pngs("whole")) assert.ok(png.length > 500);
  const page = readFileSync(`${path("whole")}/arena.md`, "utf8");
  assert.match(page, /^\| DMD2 \| 1 \|.*\| 1\.51 \| 19\.32 \|$/m);
  assert.match(page, /^onestep arena --dataset gaussians --budget quick.* --n 200 /m);
  assert.not.match(page, /claim/);
  const report = readFileSync(`${path("whole")}/arena.html`, "utf8");
  assert.is(report.split("data:image/png;base64,").length - 1, 3, "samples of the teacher and of each method");
});

test("stopped in a method: not shown as finished; goes on there, and ends in the same numbers", async () => {
  const out = path("stopped");
  const { child, ended } = await start(tiny("dmd2,consistency", out));
  let text = "";
  child.stderr!.on("data", (part) => {
    const inRow = /seed 0: dmd2\n(.*\n)*distillation/;
    if (!inRow.test(text) && inRow.test((text += part))) child.kill("SIGINT");
  });
  const { code, stderr } = await ended;
  assert.is(code, 130, stderr);
  assert.match(stderr, /stopped; the table goes on with: .* arena --resume --out/);
  assert.not.ok(read("stopped").finished);
  assert.match(readFileSync(`${out}/arena.md`, "utf8"), /^# .*NOT FINISHED, 2 of 3 parts .*\n(.*\n)*.*\| not run \|/);
  const made = statSync(`${out}/seed-0/consistency/generator.safetensors`).mtimeMs;
  const again = await onestep("arena", "--resume", "--out", out, "--device", "reference", "--quiet");
  assert.is(again.code, 0, again.stderr);
  assert.equal(numbersIn("stopped"), numbersIn("whole"));
  assert.is(statSync(`${out}/seed-0/consistency/generator.safetensors`).mtimeMs, made, "what is done is left");
  for (const [i, png] of pngs("stopped").entries()) assert.equal(png, pngs("whole")[i]);
});

test("what can't be run is one clear line that names what there is, and nothing is begun", async () => {
  const command = commands.find(({ name }) => name === "arena")!;
  const none = ["--out", path("none")];
  const cases: [words: string[], code: string, why: RegExp][] = [
    [
      ["--methods", "dmd2,consistancy", ...none],
      "E_USAGE",
      /run the method "consistancy": it is not one of .*progressive.* mean "consistency"/,
    ],
    [["--methods", ",", ...none], "E_USAGE", /run no methods: expected some of .*consistency/],
    [["--dataset", "mnst", ...none], "E_USAGE", /the data set "mnst": .* did you mean "mnist"/],
    [["--budget", "large", ...none], "E_USAGE", /the budget "large": it is not one of quick, full/],
    [["--resume", ...none], "E_CHECKPOINT", /it holds no arena$/],
    [["--resume", "--dataset", "mnist", "--out", path("whole")], "E_USAGE", /mnist: it was begun with gaussians$/],
    [["--out", path("whole")], "E_RUN_EXISTS", /already holds one$/],
  ];
  for (const [words, code, why] of cases) {
    const refused = await planOf(parseFlags(command, words), arena).then(
      () => undefined,
      (error) => error,
    );
    assert.is(refused?.code, code, words.join(" "));
    assert.match(refused.message, why);
  }
  assert.not.ok(existsSync(path("none")));
});

test("the page of the arena has a command for every row of the paper's tables, and names no method that is not there", () => {
  const page = readFileSync("examples/arena/README.md", "utf8");
  for (const [table, rows] of [imagenet64, sdxl(["fid"])].entries())
    for (const { who, nfe, metrics } of rows) {
      const line = page
        .split("\n")
        .find((each) => each.startsWith(`| ${table + 1} | ${who} | ${nfe} | ${metrics.fid} |`));
      assert.match(line ?? "", /`|not here/, who);
    }
  for (const [, methods] of page.matchAll(/arena --methods ([\w,-]+)/g))
    for (const method of methods.split(",")) assert.ok(method in arenas.gaussians.table.rows, method);
});

test.run();

// The tables of a paper: their rows as configs, and a small one by the command line: run, stopped, gone on with, refused.
import { existsSync, readFileSync, statSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Registry } from "../../../core/plugin/mod.ts";
import type { RunConfig } from "../../../core/train/mod.ts";
import { grounds } from "../../../examples/ablations/grounds.ts";
import { tables } from "../../../examples/ablations/tables.ts";
import { ablation } from "../../../examples/cli/ablate/contest.ts";
import { type Expansion, expand, rowOf, teacherOf } from "../../../examples/cli/ablate/expand.ts";
import { cellsOf, titleOf } from "../../../examples/cli/ablate/page.ts";
import { type Plan, planOf as planned } from "../../../examples/cli/ablate/plan.ts";
import { type Outcome, resultOf } from "../../../examples/cli/ablate/result.ts";
import { commands } from "../../../examples/cli/commands.ts";
import { parseFlags } from "../../../examples/cli/parseFlags.ts";
import { allPlugins } from "../../../plugins/all.ts";
import { thrown } from "../../helpers/thrown.ts";
import { onestep, scratch, start } from "./program.ts";

const test = suite("examples/cli/ablate");
const { path, remove } = scratch();
test.after(remove);

const registry = new Registry().register(allPlugins);
const planOf = (table: string, dataset: string, over: Partial<Plan> = {}): Plan => ({
  table,
  dataset,
  budget: "quick",
  seeds: 1,
  samples: 1000,
  pairs: 1000,
  rows: Object.keys(tables[table].rows),
  settings: [],
  ...over,
});

test("every row of every table has a sound config on each of its data sets, and quotes every column or none", async () => {
  for (const [table, { base, rows, quoted, claims }] of Object.entries(tables)) {
    for (const dataset of Object.keys(base))
      for (const budget of ["quick", "full"] as const) {
        const expansion = await expand(planOf(table, dataset, { budget }), registry);
        assert.equal(Object.keys(expansion.rows), Object.keys(rows));
        assert.is(expansion.teacher.dataset.use, dataset);
        for (const number of Object.values(grounds[dataset].standsFor))
          assert.ok(number in grounds[dataset].columns, `${dataset} shows ${number}`);
      }
    for (const { name, quoted: own } of Object.values(rows))
      assert.ok(
        [0, Object.keys(quoted).length].includes(Object.keys(own).length),
        `${name} quotes all columns or none`,
      );
    for (const { better, worse, quoted: column = Object.keys(quoted)[0], says } of claims) {
      const gap = rows[worse].quoted[column] - rows[better].quoted[column];
      assert.ok(quoted[column].better === "lower" ? gap > 0 : gap < 0, `the paper's numbers say that ${says}`);
    }
  }
});

test("the rows switch what the paper's tables switch", async () => {
  const switches = ({ losses, method, generator, critic }: RunConfig) => [
    ...["regression", "distribution-matching", "gan-generator", "gan-discriminator"].map((name) => name in losses),
    critic!.head,
    (method.ttur as { critic: number }).critic,
    generator!.inputs,
  ];
  const { rows } = await expand(planOf("table3", "mnist"), registry);
  assert.equal(Object.fromEntries(Object.entries(rows).map(([name, config]) => [name, switches(config)])), {
    dmd: [true, true, false, false, false, 1, "simulated"],
    "no-regression": [false, true, false, false, false, 1, "simulated"],
    ttur: [false, true, false, false, false, 5, "simulated"],
    dmd2: [false, true, true, true, true, 5, "simulated"],
    gan: [false, false, true, true, true, 1, "simulated"],
    "gan-ttur": [false, false, true, true, true, 5, "simulated"],
  });
  const { rows: four } = await expand(planOf("table4", "mnist"), registry);
  assert.equal(Object.fromEntries(Object.entries(four).map(([name, config]) => [name, switches(config)])), {
    "no-gan": [false, true, false, false, false, 5, "simulated"],
    "no-dm": [false, false, true, true, true, 5, "simulated"],
    "no-simulation": [false, true, true, true, true, 5, "real"],
    dmd2: [false, true, true, true, true, 5, "simulated"],
  });
  for (const { generator } of Object.values(four)) assert.is((generator!.sigmas as number[]).length, 4);
});

test("rows of a seed share the teacher and its pairs, and a setting is laid over all of them", async () => {
  const expansion: Expansion = await expand(planOf("table3", "mnist", { settings: ["train.steps=7"] }), registry);
  const shared = { seed: 3, teacher: "t.safetensors", pairs: "p.safetensors" };
  assert.equal([teacherOf(expansion, shared).train!.seed, teacherOf(expansion, shared).train!.steps], [3, 0]);
  const dmd = rowOf(expansion, expansion.rows.dmd, shared);
  assert.equal([dmd.train!.seed, dmd.train!.steps], [3, 7]);
  assert.equal(dmd.start, { teacher: "t.safetensors" });
  assert.is((dmd.method.teacher as { steps: number }).steps, 0);
  assert.is((dmd.losses.regression as { pairs: string }).pairs, "p.safetensors");
  assert.not.ok("regression" in rowOf(expansion, expansion.rows.ttur, shared).losses);
  assert.equal(dmd.metrics, {}, "rows are judged together");
});

const judged = (frechet: number, count = 1000): Extract<Outcome, { is: "judged" }> => ({
  is: "judged",
  report: {
    samples: `run ${frechet}`,
    metrics: { frechet, accuracy: 0.9 },
    protocol: {
      drawn: { role: "generator", nfe: 1, seed: 99 },
      count,
      samples: {},
      reference: {},
      metrics: {},
      extractors: {},
    },
  },
});
const [missing, diverged] = [{ is: "missing" }, { is: "diverged" }] as const;

test("a table is finished when every row has ended with every seed, and says so above all else", () => {
  const plan = planOf("table3", "mnist", { seeds: 2, rows: ["no-regression", "ttur", "dmd2"] });
  const outcomes = {
    teacher: [judged(10), judged(12)],
    "no-regression": [diverged, diverged],
    ttur: [judged(20), judged(24)],
    dmd2: [judged(15), missing],
  };
  const result = resultOf(plan, outcomes);
  assert.not.ok(result.finished);
  assert.match(titleOf(result), /NOT FINISHED, 7 of 8 parts have ended$/);
  const cells = Object.fromEntries(cellsOf(result).map(([name, _, first]) => [name, first]));
  assert.is(cells["no regression"], "diverged");
  assert.is(cells["no regression, TTUR"], "22.0 ± 2.828");
  assert.is(cells["no regression, TTUR, GAN: DMD2"], "15.0 (1 of 2 seeds)");
  const verdicts = (of: typeof result) => of.claims.map(({ better, worse, verdict }) => [better, worse, verdict]);
  assert.equal(verdicts(result), [
    ["ttur", "no-regression", "yes"],
    ["dmd2", "ttur", "not run"],
  ]);
  const whole = resultOf(plan, { ...outcomes, dmd2: [judged(19), judged(23)] });
  assert.ok(whole.finished);
  assert.not.match(titleOf(whole), /FINISHED/);
  assert.is(verdicts(whole)[1][2], "within the spread");
  assert.is(verdicts(resultOf(plan, { ...outcomes, dmd2: [judged(29), judged(30)] }))[1][2], "no");
});

test("with one seed the interval of its judge is the spread", () => {
  const wide = ({ report, is }: Extract<Outcome, { is: "judged" }>): Outcome => ({
    is,
    report: { ...report, metrics: { ...report.metrics, "frechet ±": 3 } },
  });
  const plan = planOf("table3", "mnist", { rows: ["ttur", "dmd2"] });
  const result = resultOf(plan, { teacher: [judged(10)], ttur: [wide(judged(20))], dmd2: [wide(judged(18))] });
  assert.is(cellsOf(result)[3][2], "18.0 ± 3.000");
  assert.is(result.claims[0].verdict, "within the spread");
});

test("numbers of two protocols are not put into one table", () => {
  const plan = planOf("table3", "mnist", { rows: ["ttur"] });
  const { code, message } = thrown(() => resultOf(plan, { teacher: [judged(10)], ttur: [judged(9, 500)] }));
  assert.is(code, "E_CONFIG");
  assert.match(message, /run 10 and run 9 into one table: their protocols differ in count: 1000 and 500$/);
});

const small = [
  "network.width=8",
  "network.depth=1",
  "critic.headWidth=4",
  "sampler.steps=3",
  "train.evaluateCount=20",
  "method.teacher.steps=5",
  "method.teacher.batch=8",
  "train.batch=8",
  "train.steps=9",
  "train.checkpointEvery=1",
];
const tiny = (rows: string, out: string) => [
  "ablate",
  "table3",
  "--rows",
  rows,
  "--n",
  "200",
  "--pairs",
  "50",
  "--out",
  out,
  "--device",
  "reference",
  ...small.flatMap((each) => ["--set", each]),
];
const read = (out: string) => JSON.parse(readFileSync(`${path(out)}/table3.json`, "utf8"));
const numbersIn = (out: string) =>
  read(out).rows.map(({ row, numbers }: { row: string; numbers: object }) => [row, numbers]);

test("three rows: one teacher, runs that start from it, and the table in three forms", async () => {
  const { code, stdout, stderr } = await onestep(...tiny("dmd,ttur,dmd2", path("whole")));
  assert.is(code, 0, stderr);
  assert.match(stderr, /\[4 of 4\] seed 0: dmd2/);
  assert.match(stdout, /Table 3 on gaussians, budget quick, 1 seed\n.*sw ↓ .*FID ↓ \(quoted\)\n/);
  const result = read("whole");
  assert.ok(result.finished);
  assert.equal(
    result.rows.map(({ row, quoted }: { row: string; quoted: object }) => [row, quoted]),
    [
      ["dmd", { FID: 2.62 }],
      ["ttur", { FID: 2.61 }],
      ["dmd2", { FID: 1.51 }],
    ],
  );
  assert.equal([result.protocol.count, result.protocol.drawn.seed], [200, 99]);
  const [teacher, ...others] = ["teacher", "dmd", "ttur", "dmd2"].map((name) =>
    readFileSync(`${path("whole")}/seed-0/${name}/teacher.safetensors`).subarray(-200),
  );
  for (const each of others) assert.equal(each, teacher);
  const page = readFileSync(`${path("whole")}/table3.md`, "utf8");
  assert.match(page, /^\| no regression, TTUR \| 1 \| [\d.]+ \| [\d.]+ \| [\d.]+ \| 2\.61 \|$/m);
  assert.match(page, /FID of 50,000 samples, ImageNet 64 x 64\. Yin et al/);
  assert.match(page, /^onestep ablate table3 --dataset gaussians --budget quick --rows dmd,ttur,dmd2 /m);
  const report = readFileSync(`${path("whole")}/table3.html`, "utf8");
  assert.is(report.split("data:image/png;base64,").length - 1, 3, "samples of each row");
  assert.match(report, /<td class="number quoted">2\.61<\/td>/);
  const plot = readFileSync(`${path("whole")}/table3.svg`, "utf8");
  for (const text of ["DMD: with regression", "FID, quoted", "sw on gaussians"]) assert.ok(plot.includes(text), text);
});

test("stopped in a row: not shown as finished; goes on there, and ends in the same numbers", async () => {
  const out = path("stopped");
  const { child, ended } = await start(tiny("ttur,dmd2", out));
  let text = "";
  child.stderr!.on("data", (part) => {
    const inRow = /seed 0: dmd2\n(.*\n)*distillation/;
    if (!inRow.test(text) && inRow.test((text += part))) child.kill("SIGINT");
  });
  const { code, stderr } = await ended;
  assert.is(code, 130, stderr);
  assert.match(stderr, /stopped; the table goes on with: .* ablate --resume --out/);
  assert.not.ok(read("stopped").finished);
  assert.match(
    readFileSync(`${out}/table3.md`, "utf8"),
    /^# .*NOT FINISHED, 2 of 3 parts have ended\n(.*\n)*.*\| not run \|/,
  );
  const made = statSync(`${out}/seed-0/ttur/generator.safetensors`).mtimeMs;
  const again = await onestep("ablate", "--resume", "--out", out, "--device", "reference", "--quiet");
  assert.is(again.code, 0, again.stderr);
  assert.is(again.stderr.replace(/^device .*\n/gm, ""), "");
  assert.ok(read("stopped").finished);
  assert.equal(numbersIn("stopped"), numbersIn("whole").slice(1));
  assert.is(statSync(`${out}/seed-0/ttur/generator.safetensors`).mtimeMs, made, "what is done is left");
});

test("what can't be run is one clear line, and nothing is begun", async () => {
  const command = commands.find(({ name }) => name === "ablate")!;
  const none = ["--out", path("none")];
  const cases: [words: string[], code: string, why: RegExp][] = [
    [none, "E_USAGE", /it needs a table, table3 or table4$/],
    [["table2", ...none], "E_USAGE", /run the table "table2": it is not one of table3, table4, did you mean/],
    [["table3", "--dataset", "mnst", ...none], "E_USAGE", /the data set "mnst": .* did you mean "mnist"/],
    [["table3", "--rows", "dmd,dmd3", ...none], "E_USAGE", /the row "dmd3": it is not one of dmd, no-regression/],
    [["table3", "--budget", "large", ...none], "E_USAGE", /the budget "large": it is not one of quick, full/],
    [["table3", "--seeds", "0", ...none], "E_OPTION", /seeds .* 0$/],
    [["--resume", ...none], "E_CHECKPOINT", /it holds no ablation$/],
    [["--resume", "table4", "--out", path("whole")], "E_USAGE", /with table table4: it was begun with table3$/],
    [["--resume", "--n", "3", "--out", path("whole")], "E_USAGE", /with --n: all rows .* judged alike$/],
    [["table3", "--out", path("whole")], "E_RUN_EXISTS", /already holds one$/],
  ];
  for (const [words, code, why] of cases) {
    const refused = await planned(parseFlags(command, words), ablation).then(
      () => undefined,
      (error) => error,
    );
    assert.is(refused?.code, code, words.join(" "));
    assert.match(refused.message, why);
  }
  // Its first run can't start for want of data: the next try, with data, begins in the same folder.
  const empty = path("empty");
  await onestep("ablate", "table3", "--dataset", "mnist", "--out", empty);
  assert.ok(existsSync(`${empty}/ablation.json`));
  assert.is((await planned(parseFlags(command, ["table3", "--out", empty]), ablation)).out, empty);
  const ended = await onestep("ablate", "table3", "--set", "train.stesp=3", ...none);
  assert.is(ended.code, 2);
  assert.match(ended.stderr, /^error E_UNKNOWN_OPTION: .* did you mean "steps"\?\nfix: .*\n$/);
  assert.not.ok(existsSync(path("none")));
});

test.run();

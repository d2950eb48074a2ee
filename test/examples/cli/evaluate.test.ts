import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { protocols } from "../../../examples/cli/evaluate/protocols.ts";
import { unbalanced } from "../../helpers/htmlTags.ts";
import { npyFile } from "../../helpers/npyFile.ts";
import { pillowFile } from "../../helpers/pillowPictures.ts";
import { zipFile } from "../../helpers/zipFile.ts";
import { onestep, scratch, start, tinyConfig } from "./program.ts";

const test = suite("examples/cli/evaluate");
const { path, remove } = scratch();
test.after(remove);

/** So many grey pictures of 2 × 2 pixels, all of one brightness. */
const archive = (name: string, count: number, byte: number) => {
  const pixels = new Uint8Array(count * 4).fill(byte);
  writeFileSync(path(name), zipFile({ "arr_0.npy": npyFile("|u1", [count, 2, 2, 1], pixels) }));
  return path(name);
};

/** How much brighter samples are than the reference, on average. */
const brightness = `
import { DATASET, definePlugin, METRICS, number } from "onestep";
const mean = (x) => x.reduce((sum, value) => sum + value, 0) / x.length;
export default definePlugin({
  name: "brightness", kind: "metric", token: METRICS, about: "how much brighter samples are",
  options: { scale: number({ default: 1, about: "factor of the number" }) },
  create({ scale }, container) {
    return { name: "brightness", least: 2, begin() {
      const seen = [];
      return {
        take({ x }) { seen.push(...x); },
        async result() {
          const dataset = container.get(DATASET);
          const { x } = await dataset.batch(Int32Array.from({ length: dataset.size }, (_, i) => i), () => 0);
          return { brightness: scale * (mean(seen) - mean(x)) };
        },
      };
    } };
  },
});`;

test.before(() => {
  writeFileSync(path("brightness.ts"), brightness);
  archive("dark.npz", 3, 0);
  archive("light.npz", 5, 255);
});
const evaluate = (samples: string, ...more: string[]) =>
  onestep(
    "evaluate",
    path(samples),
    "--metric",
    "brightness",
    "--plugin",
    path("brightness.ts"),
    "--device",
    "reference",
    ...more,
  );

test("files are judged against files, with the protocol beside the numbers", async () => {
  const { code, stdout } = await evaluate("light.npz", "--reference", path("dark.npz"), "--out", path("a.json"));
  assert.is(code, 0);
  assert.match(stdout, /samples {2}brightness\n.*light\.npz +0 +5 +2\.000\n/);
  const { protocol, metrics } = JSON.parse(readFileSync(path("a.json"), "utf8"));
  assert.equal(metrics, { brightness: 2 });
  assert.is(protocol.count, 5);
  assert.match(protocol.reference.content, /^[0-9a-f]{16}$/);
  assert.is(protocol.reference.samples, 3);
  assert.equal(protocol.samples, { shape: [1, 2, 2] });
});

test("beside the numbers stands a page with samples and protocol", () => {
  const page = readFileSync(path("a.html"), "utf8");
  assert.equal(unbalanced(page), []);
  for (const text of ["brightness", "sample 4", "reference.content", "light.npz"]) assert.ok(page.includes(text), text);
  assert.is(page.match(/<img /g)?.length, 5);
});

test("the paper's protocols are listed, and say in one line what they need", async () => {
  const { code, stdout } = await onestep("evaluate", "--protocol");
  assert.is(code, 0);
  for (const name of Object.keys(protocols)) assert.match(stdout, new RegExp(`^${name} `, "m"));
  const bare = await onestep("evaluate", path("light.npz"), "--protocol", "imagenet64-dmd2");
  assert.is(bare.code, 2);
  assert.match(
    bare.stderr,
    /it needs --reference \(EDM's imagenet-64x64.npz\) and --set extractors.inception.weights=/,
  );
});

test("folders of JPEG, WebP and PNG of any size are judged as they are read, which the protocol says", async () => {
  mkdirSync(path("mixed"));
  mkdirSync(path("one"));
  for (const name of ["420.jpg", "lossy.webp", "rgb8.png"]) writeFileSync(path(`mixed/${name}`), pillowFile(name));
  writeFileSync(path("one/a.jpg"), pillowFile("420.jpg"));
  const to = ["--reference", path("one"), "--n", "3"];
  const refused = await evaluate("mixed", ...to);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /rgb8\.png: it is 11 x 9, most others are 35 x 27/);
  assert.match(refused.stderr, /--set dataset\.size=\[27,35\]/);
  const { code, stdout, stderr } = await evaluate("mixed", ...to, "--set", "dataset.size=[8,8]");
  assert.is(code, 0, stderr);
  const protocol = JSON.parse(stdout.match(/^protocol {2}(.*)$/m)![1]);
  const { shape, size, decoding } = protocol.samples;
  assert.equal(
    [shape, size],
    [
      [3, 8, 8],
      [8, 8],
    ],
  );
  assert.match(decoding, /^as Pillow's convert/);
  assert.equal(
    [protocol.reference.use, protocol.reference.size, protocol.reference.filter, protocol.reference.decoding],
    ["pictures", [8, 8], "lanczos", decoding],
  );
});

test("what takes long says how far it is, in its own unit", async () => {
  writeFileSync(
    path("slow.ts"),
    brightness
      .replaceAll('name: "brightness"', 'name: "slow"')
      .replace("METRICS, number", "METRICS, number, PACE")
      .replace(
        "async result() {",
        `async result() {
          const pace = container.get(PACE);
          await pace("pondering", 1, 9, "thoughts");
          await new Promise((resolve) => setTimeout(resolve, 800));
          await pace("pondering", 9, 9, "thoughts");`,
      ),
  );
  const slow = ["--metric", "slow", "--plugin", path("slow.ts"), "--reference", path("dark.npz")];
  const { code, stderr } = await onestep("evaluate", path("light.npz"), ...slow, "--device", "reference");
  assert.is(code, 0, stderr);
  assert.match(stderr, /pondering +9\/9 +\S+ thoughts\/s/);
});

test("two evaluations of one protocol are compared, of two only when told so", async () => {
  await evaluate("light.npz", "--reference", path("dark.npz"), "--n", "3", "--out", path("b.json"));
  await evaluate("dark.npz", "--reference", path("dark.npz"), "--out", path("c.json"));
  const same = await onestep("compare", path("b.json"), path("c.json"));
  assert.is(same.code, 0, same.stderr);
  assert.match(same.stdout, /b\.json +\S*c\.json +difference\n/, "under the names that were given");
  assert.match(same.stdout, /brightness +2\.0000 +0\.0000 +-2\.0000/);
  const apart = await onestep("compare", path("a.json"), path("b.json"));
  assert.is(apart.code, 2);
  assert.match(apart.stderr, /protocols differ in count: 5 and 3/);
  const anyway = await onestep("compare", path("a.json"), path("b.json"), "--anyway");
  assert.match(anyway.stdout, /protocols differ {2}count: 5 and 3/);
  // JSON writes what is no number as null.
  writeFileSync(
    path("nan.json"),
    readFileSync(path("b.json"), "utf8").replace(/"brightness": ?2\b/, '"brightness": null'),
  );
  const diverged = await onestep("compare", path("b.json"), path("nan.json"));
  assert.match(diverged.stdout, /brightness +2\.0000 +NaN +NaN/, diverged.stderr);
});

test("a reference of a dataset's name is that dataset, where its folder is given, whatever lies in the working folder", async () => {
  const [gaussians, there] = [path("gaussians"), path("there")];
  for (const folder of [gaussians, there]) mkdirSync(folder);
  writeFileSync(path("gaussians/notes.txt"), "no pictures");
  const words = ["evaluate", path("run"), "--reference", "gaussians", "--metric", "gaussian-modes", "--n", "20"];
  await onestep("train", tinyConfig(path("tiny.json"), { steps: 0 }), "--out", path("run"), "--device", "reference");
  const { ended } = await start([...words, "--data", there, "--device", "reference"], {}, path("."));
  const { code, stderr } = await ended;
  assert.is(code, 0, stderr);
});

test("an interval stands behind its number, and what few samples do to it is said", async () => {
  const sure = `
import { definePlugin } from "onestep";
export default definePlugin({
  name: "sure", kind: "metric", about: "a number and half its interval", options: {},
  create: () => ({
    name: "sure",
    caution: (count) => (count < 4 ? "sure wants 4 samples, of " + count : undefined),
    begin: () => ({ take() {}, result: async () => ({ sure: 12, "sure ±": 0.25 }) }),
  }),
});`;
  writeFileSync(path("sure.ts"), sure);
  const words = ["--metric", "sure", "--plugin", path("sure.ts"), "--device", "reference"];
  const files = ["light.npz", "--reference", path("dark.npz"), "--out", path("sure.json")];
  const { stdout, stderr } = await onestep("evaluate", path(files[0]), ...words, ...files.slice(1));
  assert.match(stdout, /samples +sure\n.*light\.npz +0 +5 +12\.0 ± 0\.250\n/);
  // Three samples are the reference.
  assert.match(stderr, /^warning: sure wants 4 samples, of 3$/m);
  const { metrics, warnings } = JSON.parse(readFileSync(path("sure.json"), "utf8"));
  assert.equal([metrics, warnings], [{ sure: 12, "sure ±": 0.25 }, ["sure wants 4 samples, of 3"]]);
  assert.match(readFileSync(path("sure.html"), "utf8"), /12\.0 ± 0\.250[\s\S]*half the width of the 95 % interval/);
  const same = await onestep("compare", path("sure.json"), path("sure.json"));
  assert.match(same.stdout, /sure +12\.000 ± 0\.25 +12\.000 ± 0\.25 +0\.0000 ± 0\.35/);
});

test("what can't be judged is refused, and nothing is written", async () => {
  archive("large.npz", 1, 0);
  const wide = zipFile({ "arr_0.npy": npyFile("|u1", [2, 1, 3, 1], new Uint8Array(6)) });
  writeFileSync(path("wide.npz"), wide);
  writeFileSync(path("text.txt"), "no pictures");
  const statistics = zipFile({
    "mu.npy": npyFile("<f8", [1], Float64Array.of(0)),
    "sigma.npy": npyFile("<f8", [1, 1], Float64Array.of(1)),
  });
  writeFileSync(path("statistics.npz"), statistics);
  const out = ["--out", path("none.json")];
  const cases: [words: string[], why: RegExp][] = [
    [["evaluate", path("light.npz"), "--reference", path("dark.npz"), ...out], /no --metric/],
    [["evaluate", path("light.npz"), "--metric", "fid", ...out], /no --reference/],
    [
      ["evaluate", path("nowhere"), "--metric", "fid", "--reference", path("dark.npz"), ...out],
      /no such file or folder/,
    ],
    [["evaluate", path("text.txt"), "--metric", "fid", "--reference", path("dark.npz"), ...out], /no folder, .npz or/],
    [
      ["evaluate", path("statistics.npz"), "--metric", "fid", "--reference", path("dark.npz"), ...out],
      /holds statistics/,
    ],
    [
      ["evaluate", path("light.npz"), "--metric", "kid", "--reference", path("statistics.npz"), ...out],
      /means and covariances/,
    ],
    [
      [
        "evaluate",
        path("light.npz"),
        "--metric",
        "fid",
        "--reference",
        path("statistics.npz"),
        "--device",
        "reference",
        ...out,
      ],
      /inception|mu is/,
    ],
    [
      ["evaluate", path("light.npz"), "--metric", "fids", "--reference", path("dark.npz"), ...out],
      /did you mean "fid"/,
    ],
  ];
  for (const [words, why] of cases) {
    const { code, stderr } = await onestep(...words);
    assert.is.not(code, 0, words.join(" "));
    assert.match(stderr, why);
  }
  const few = await evaluate("large.npz", "--reference", path("dark.npz"), ...out);
  assert.match(few.stderr, /Cannot judge 1 samples with brightness: should be 2 or more/);
  const other = await evaluate("wide.npz", "--reference", path("dark.npz"), ...out);
  assert.match(other.stderr, /samples \[1, 1, 3\] with a reference of \[1, 2, 2\]/);
  const many = await evaluate("dark.npz", "--reference", path("dark.npz"), "--n", "4", ...out);
  assert.match(many.stderr, /Cannot judge 4 samples: there are 3/);
  assert.not.ok(existsSync(path("none.json")) || existsSync(path("none.html")));
  writeFileSync(path("broken.json"), '{"samples": "a"}');
  const broken = await onestep("compare", path("broken.json"), path("broken.json"));
  assert.match(broken.stderr, /no evaluation.*\nfix: make one with `.*evaluate … --out/);
});

test.run();

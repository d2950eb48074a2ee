import { suite } from "uvu";
import * as assert from "uvu/assert";
import { program } from "../../../../core/graph/mod.ts";
import { exp, input, matmul } from "../../../../core/ops/mod.ts";
import { profileOf, summaryOf } from "../../../../examples/cli/profile/report.ts";

const test = suite("examples/cli/profile/report");

const [a, b] = [input("a", [8, 64]), input("b", [64, 32])];
const traced = program({ name: "update", outputs: { y: exp(matmul(a, b)) } });
const names = ["matmul [8, 64] [64, 32]", "exp [8, 32]"];
const report = (variants: Map<string, string>) =>
  profileOf(
    {
      program: traced,
      names,
      variants,
      wallMs: [3, 3],
      encodeMs: [],
      restart: () => undefined,
      // Of two runs: 2 · 8 · 32 · 64 operations in 1 ms are 0.0328 GFLOP/s.
      kernels: new Map([
        [names[0], 2],
        [names[1], 1],
      ]),
    },
    { gflops: 0.1, gigabytes: 1 },
  );

test("names the variant that ran, and what it reaches of the ceiling", () => {
  const [total, , head, first, second] = report(new Map([[names[0], "tiles"]])).split("\n");
  assert.is(total, "1.50 ms in kernels; the best here is 0.100 GFLOP/s and 1.00 GB/s");
  assert.match(head, /of best {2}variant {2}kernel$/);
  assert.match(first, /1\.00 +67 % +1 +0\.0328 +33 % +0\.0113 +1 % +tiles +matmul \[8, 64\] \[64, 32\]$/);
  assert.match(second, /0\.500 +33 % +1 .* exp \[8, 32\]$/);
});

test("has no column of variants where the backend has none", () => {
  assert.match(report(new Map()), /of best {2}kernel$/m);
});

test("the summary tells medians, and what encoding takes where it is apart from the device's work", () => {
  const watched = { program: traced, names, variants: new Map(), kernels: undefined };
  const of = (wallMs: number[], encodeMs: number[]) =>
    summaryOf({ ...watched, wallMs, encodeMs, restart: () => undefined });
  assert.match(of([5, 3, 4], [0.5, 0.25, 1]), /^update: 4\.00 ms, best 3\.00 of 3, 0\.500 to encode; 2 steps/);
  assert.match(of([5, 3, 4], []), /^update: 4\.00 ms, best 3\.00 of 3; 2 steps/);
});

test.run();

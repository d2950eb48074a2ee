import { suite } from "uvu";
import * as assert from "uvu/assert";
import { edmAblation } from "../../../plugins/samplers/edmAblation.ts";
import { euler } from "../../../plugins/samplers/euler.ts";
import { heun } from "../../../plugins/samplers/heun.ts";
import { thrown } from "../../helpers/thrown.ts";
import { assertMoments, assertOrder, assertSame, flowError, samplerOf, samples } from "./gaussian.ts";

const test = suite("plugins/samplers/edmAblation");
type Options = Parameters<typeof edmAblation>[0];

test("with EDM's own choices it is heun and euler, churn too", async () => {
  const options = { steps: 6, churn: 3 };
  const second = await samples(samplerOf(edmAblation(options)));
  assertSame(second.x, (await samples(samplerOf(heun(options)))).x);
  const first = await samples(samplerOf(edmAblation({ ...options, solver: "euler" })));
  assertSame(first.x, (await samples(samplerOf(euler(options)))).x);
  assert.equal([second.nfe, first.nfe], [11, 6]);
});

const vp = { discretization: "vp", timeScale: "vp", scaling: "vp" } as const;
const cases: readonly [order: number, Options][] = [
  [1, { sigmaMax: 10, solver: "euler" }],
  [2, { sigmaMax: 10 }],
  [2, { sigmaMax: 10, alpha: 2 / 3 }],
  [2, vp],
  [2, { discretization: "ve", timeScale: "ve", sigmaMax: 10 }],
];
for (const [order, options] of cases)
  test(`comes to the probability flow with order ${order}: ${JSON.stringify(options)}`, () =>
    assertOrder(order, (steps) => flowError(samplerOf(edmAblation({ ...options, steps })), 0)));

test("starts with variance 1 where the scaling keeps it", () => {
  const { startScale, sigmaMax } = samplerOf(edmAblation(vp));
  assert.ok(Math.abs(startScale! - sigmaMax / Math.hypot(1, sigmaMax)) < 1e-12);
  assert.is(samplerOf(edmAblation()).startScale, 80);
});

test("with churn the samples have the data's moments, whatever the scaling", async () => {
  await assertMoments(samplerOf(edmAblation({ steps: 40, churn: 10 })), 0.015);
  await assertMoments(samplerOf(edmAblation({ ...vp, steps: 40, churn: 10 })), 0.015);
});

test("refuses bounds the wrong way round, and more iddpm levels than the chain has", () => {
  const crossed = thrown(() => samplerOf(edmAblation({ sigmaMin: 3, sigmaMax: 2 })));
  assert.is(crossed.code, "E_OPTION");
  assert.match(crossed.message, "sigmaMin is 3 and sigmaMax 2, sigmaMin should be the lower");
  const short = thrown(() => samplerOf(edmAblation({ discretization: "iddpm", chain: 10, steps: 18 })));
  assert.is(short.code, "E_OPTION");
  assert.match(short.message, /steps is 18, the chain has \d levels between 0\.002 and 81/);
  assert.match(thrown(() => edmAblation({ steps: 1 })).message, /steps .*\[2, 10000\].* 1/);
});

test.run();

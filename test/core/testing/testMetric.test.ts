// The kit's test of metrics is seen to fail.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  BACKEND,
  type Backend,
  type Judging,
  METRICS,
  type Metric,
  type SampleSet,
} from "../../../core/interfaces/mod.ts";
import { definePlugin } from "../../../core/plugin/mod.ts";
import { testMetric } from "../../../core/testing/mod.ts";
import { backends, problemsOf } from "./problems.ts";

const test = suite("core/testing/testMetric");

/** Mean square of all numbers, taken in portions. */
const squares = (): Judging => {
  let [sum, count] = [0, 0];
  return {
    take({ x }) {
      for (const each of x) sum += each ** 2;
      count += x.length;
    },
    result: async () => ({ power: sum / count }),
  };
};

/** A metric that begins as told, with a mistake or without. */
const problems = (begin: () => Judging, make: (backend: Backend) => Partial<Metric> = () => ({})) => {
  const plugin = definePlugin({
    name: "power",
    kind: "metric",
    token: METRICS,
    about: "Mean square",
    options: {},
    create: (_, container): Metric => ({ name: "power", begin, ...make(container.get(BACKEND)) }),
  });
  return problemsOf(testMetric(plugin(), { backends }));
};
const changed = (change: Partial<Judging> | ((own: Judging) => Partial<Judging>)) => () => {
  const own = squares();
  return { ...own, ...(typeof change === "function" ? change(own) : change) };
};

test("a sound metric passes", async () => assert.is(await problems(squares), ""));

test("numbers that depend on how a set is divided", async () => {
  const averaging = () => {
    const means: number[] = [];
    return {
      take: ({ x }: SampleSet) => void means.push(x.reduce((sum, each) => sum + each ** 2, 0) / x.length),
      result: async () => ({ power: means.reduce((sum, each) => sum + each, 0) / means.length }),
    };
  };
  assert.match(await problems(averaging), "its numbers depend on how the set is divided");
});

test("sets that are judged together", async () => {
  const one = squares();
  assert.match(await problems(() => one), "its numbers depend on another set that is judged meanwhile");
});

test("numbers that do not depend on the samples, are not finite, or are none", async () => {
  const fixed = changed({ result: async () => ({ power: 1 }) });
  assert.match(await problems(fixed), "its numbers do not depend on the samples");
  const infinite = changed({ result: async () => ({ power: Number.NaN }) });
  assert.match(await problems(infinite), "its power is NaN, should be finite");
  assert.match(await problems(changed({ result: async () => ({}) })), "it tells of no number");
  let begun = 0;
  const renamed = () => {
    const name = `power ${begun++}`;
    return changed((own) => ({ result: async () => ({ [name]: (await own.result()).power }) }))();
  };
  assert.match(await problems(renamed), /it tells of power \d for one set and of power 0 for another/);
});

test("samples that it changes", async () => {
  const clamping = changed((own) => ({
    take(samples) {
      samples.x.fill(0, 0, 3);
      return own.take(samples);
    },
  }));
  assert.match(await problems(clamping), "it changes the samples that it is given");
});

test("memory that it keeps when it is disposed", async () => {
  const keeping = (frees: boolean) =>
    problems(squares, (backend) => {
      const memory = backend.createMemory();
      memory.allocate("network", 10);
      return frees ? { dispose: () => memory.dispose() } : {};
    });
  assert.is(await keeping(true), "");
  assert.match(await keeping(false), "it leaves 80 bytes on reference when it is disposed");
});

test("what fails", async () => {
  const failing = changed({ result: () => Promise.reject(new Error("no features")) });
  assert.match(await problems(failing), "it cannot judge: no features");
});

test.run();

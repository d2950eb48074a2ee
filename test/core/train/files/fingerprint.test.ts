import { suite } from "uvu";
import * as assert from "uvu/assert";
import { teacherFingerprint } from "../../../../core/train/mod.ts";

const test = suite("core/train/fingerprint");

const config = { teacher: { use: "guided", guidanceScale: 3 } };
const weights = () => ({
  "b.weight": { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) },
  "a.bias": { shape: [2], data: Float32Array.of(5, 6) },
});

test("teacherFingerprint: the same for the same weights and options, in any order of names", async () => {
  const print = await teacherFingerprint(config, weights());
  assert.match(print, /^[0-9a-f]{64}$/);
  const { "b.weight": b, "a.bias": a } = weights();
  assert.is(await teacherFingerprint(config, { "a.bias": a, "b.weight": b }), print);
  const more = { ...config, sampler: { use: "heun" }, seed: 3 };
  assert.is(await teacherFingerprint(more, weights()), print, "of a whole config only the teacher");
});

test("teacherFingerprint: one bit, a name, a shape, an option or the schedule makes another", async () => {
  const changed = weights();
  changed["b.weight"].data[3] = 4.0000005;
  const { "b.weight": b, "a.bias": a } = weights();
  const prints = await Promise.all([
    teacherFingerprint(config, weights()),
    teacherFingerprint(config, changed),
    teacherFingerprint(config, { "b.weight": b, "a.gain": a }),
    teacherFingerprint(config, { "b.weight": { ...b, shape: [4] }, "a.bias": a }),
    teacherFingerprint({ teacher: { use: "guided", guidanceScale: 8 } }, weights()),
    teacherFingerprint({ ...config, process: { use: "discrete" } }, weights()),
    teacherFingerprint(config, {}),
  ]);
  assert.is(new Set(prints).size, prints.length);
});

test.run();

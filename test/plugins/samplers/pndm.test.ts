import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pndm } from "../../../plugins/samplers/pndm.ts";
import {
  assertSame,
  denoised,
  discreteSamplerOf,
  evenTimesteps,
  flowError,
  mixing,
  samples,
  table,
} from "./gaussian.ts";

const test = suite("plugins/samplers/pndm");

/** What `PNDMScheduler` of diffusers does with `skip_prk_steps`, one number at a time; `noise` is the network. */
function reference(start: number, steps: number, noise: (x: number, timestep: number) => number): number {
  const stride = Math.floor(1000 / steps);
  const leading = Array.from({ length: steps }, (_, k) => (steps - 1 - k) * stride + 1);
  const calls = steps > 1 ? [leading[0], leading[1], ...leading.slice(1)] : leading;
  const product = (timestep: number) => table.alphasCumprod[Math.max(timestep, 0)];
  let stored: number[] = [];
  let [x, kept] = [start, start];
  calls.forEach((called, counter) => {
    const out = noise(x, called);
    let [timestep, previous] = [called, called - stride];
    let mean = out;
    if (counter === 1) {
      [timestep, previous] = [called + stride, called];
      mean = (out + stored[0]) / 2;
      x = kept;
    } else {
      stored = [out, ...stored].slice(0, 4);
      const [a, b, c, d] = stored;
      if (stored.length === 1) kept = x;
      if (stored.length === 2) mean = (3 * a - b) / 2;
      if (stored.length === 3) mean = (23 * a - 16 * b + 5 * c) / 12;
      if (stored.length === 4) mean = (55 * a - 59 * b + 37 * c - 9 * d) / 24;
    }
    const [at, to] = [product(timestep), product(previous)];
    const share = at * Math.sqrt(1 - to) + Math.sqrt(at * (1 - at) * to);
    x = Math.sqrt(to / at) * x - ((to - at) * mean) / share;
  });
  return x;
}

test("it is PNDMScheduler, call by call", async () => {
  for (const steps of [1, 2, 3, 7]) {
    const sampler = discreteSamplerOf(pndm({ steps, offset: 1, endAtFirst: true }));
    const { eps, x, nfe } = await samples(sampler);
    assert.is(nfe, steps > 1 ? steps + 1 : 1);
    const noise = (value: number, timestep: number) => {
      const { signal: a, noise: b } = mixing(timestep);
      return (value - a * denoised(value / a, b / a)) / b;
    };
    const expected = Array.from(eps, (each) => reference(each, steps, noise));
    assertSame(x, expected);
  }
});

test("two programs for any number of steps; it comes closer to the probability flow than DDIM", async () => {
  const sampler = discreteSamplerOf(pndm({ steps: 20 }));
  assert.is(new Set(sampler.steps.map(({ rule }) => rule)).size, 2);
  const error = await flowError(discreteSamplerOf(pndm({ timesteps: evenTimesteps(40) })), 0);
  assert.ok(error < 0.02, `${error}`);
});

test.run();

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ddim } from "../../../plugins/samplers/ddim.ts";
import { tcd } from "../../../plugins/samplers/tcd.ts";
import { thrown } from "../../helpers/thrown.ts";
import {
  assertMoments,
  assertSame,
  denoised,
  discreteSamplerOf,
  evenTimesteps,
  mixing,
  samples,
  table,
} from "./gaussian.ts";

const test = suite("plugins/samplers/tcd");

test("one step is the denoiser, at timestep 0: a_0·D + b_0·ε̂", async () => {
  const { eps, x, nfe } = await samples(discreteSamplerOf(tcd({ steps: 1 })));
  assert.is(nfe, 1);
  const [from, to] = [mixing(999), mixing(0)];
  const expected = eps.map((each) => {
    const clean = denoised(each / from.signal, table.sigmas[999]);
    return to.signal * clean + (to.noise * (each - from.signal * clean)) / from.noise;
  });
  assertSame(x, expected);
});

test("eta 0 is DDIM that ends at timestep 0", async () => {
  const timesteps = [999, 600, 250];
  const found = await samples(discreteSamplerOf(tcd({ timesteps, eta: 0 })));
  const plain = await samples(discreteSamplerOf(ddim({ timesteps, endAtFirst: true })));
  assertSame(found.x, plain.x);
});

test("whatever eta, x_t keeps the mixing of its timestep; the last step adds no noise", () => {
  for (const eta of [0.3, 1]) {
    const { steps } = discreteSamplerOf(tcd({ timesteps: [999, 499], eta }));
    const { keep, take, leave, up } = steps[0].values;
    const [from, to] = [mixing(999), mixing(499)];
    assertSame([keep * from.signal + take + leave, Math.hypot(keep * from.noise, up)], [to.signal, to.noise]);
    assert.is(steps[1].rule.name, "ddimStep");
  }
});

test("eta 1 goes to timestep 0 and back by fresh noise alone", () => {
  const { keep, up } = discreteSamplerOf(tcd({ timesteps: [999, 499], eta: 1 })).steps[0].values;
  const [from, first, to] = [mixing(999), mixing(0), mixing(499)];
  const shrink = to.signal / first.signal;
  assertSame([keep, up], [(shrink * first.noise) / from.noise, Math.sqrt(1 - shrink ** 2)]);
});

test("many steps give the data's moments", () =>
  assertMoments(discreteSamplerOf(tcd({ timesteps: evenTimesteps(100) })), 0.045));

test("refuses timesteps that rise or lie outside of the table, and more steps than the grid", () => {
  const rising = thrown(() => discreteSamplerOf(tcd({ timesteps: [999, 1000] })));
  assert.is(rising.code, "E_OPTION");
  assert.match(
    rising.message,
    "Cannot configure tcd: timesteps is [999, 1000], should be decreasing whole numbers in [0, 999]",
  );
  const many = thrown(() => discreteSamplerOf(tcd({ steps: 5, grid: 4 })));
  assert.is(many.code, "E_OPTION");
  assert.match(many.message, "steps is 5, should be a whole number in [1, 4]");
  assert.match(thrown(() => tcd({ eta: 1.5 })).message, /eta .*\[0, 1\].* 1\.5/);
});

test.run();

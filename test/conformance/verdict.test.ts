import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../backends/reference/mod.ts";
import { golden, goldenSet } from "../helpers/golden.ts";
import { GoldenCase, type ManifestCase } from "./goldenCase.ts";
import { judge, type Verdict } from "./verdict.ts";

const test = suite("test/conformance/verdict");

type Edit = {
  config?: (config: ManifestCase["config"]) => void;
  tensors?: (tensors: GoldenCase["tensors"]) => void;
};

/** The verdict on a case that was changed. */
async function judged(name: string, edit: Edit): Promise<Verdict> {
  const known = goldenSet.entries.find(({ file }) => file === `${name}.safetensors`)!;
  const entry = structuredClone(known);
  edit.config?.(entry.config);
  const tensors = structuredClone(golden(name).tensors);
  edit.tensors?.(tensors);
  const changed = new GoldenCase(name, entry, tensors);
  const set = {
    folder: "",
    bytes: (file: string) => goldenSet.bytes(file),
    case: (other: string) => (other === name ? changed : goldenSet.case(other)),
  };
  return judge(entry, set, new ReferenceBackend());
}

test("an attribute that an op does not read makes its sub-case unsupported, by name", async () => {
  const whole = await judged("ops_index", {});
  assert.is(whole.outcome, "passed");
  const verdict = await judged("ops_index", {
    config: ({ cases }) => Object.assign(cases[5].attrs, { wrap: true }),
  });
  assert.is(verdict.outcome, "partly");
  assert.equal(verdict.unsupported, [`sub-case c5 is unsupported: setting attrs.wrap is not read`]);
  assert.ok(verdict.compared < whole.compared, "nothing of the sub-case counts");
});

test("an attribute with a value that the product lacks makes its sub-case unsupported", async () => {
  const { outcome, unsupported } = await judged("ops_attention", {
    config: ({ cases }) => Object.assign(cases[0].attrs, { scale: "1/dim" }),
  });
  assert.is(outcome, "partly");
  assert.equal(unsupported, [`sub-case c0 is unsupported: no scale "1/dim"`]);
});

test("an attribute is refused before what it would change is held against the op", async () => {
  const { outcome } = await judged("ops_resample", {
    config: ({ cases }) => Object.assign(cases[1].attrs, { ceil_mode: true }),
    tensors: (tensors) => Object.assign(tensors["c1.out"], { shape: [1, 1, 1, 1] }),
  });
  assert.is(outcome, "partly");
});

test("every kind of case notices a setting that it does not read", async () => {
  const names = [
    ["optimizers", "args"],
    ["ema"],
    ["sampler_edm"],
    ["sampler_edm_ablation"],
    ["sampler_kdiffusion"],
    ["sampler_diffusers_ddim", "args"],
    ["sampler_diffusers_euler", "step_args"],
  ];
  for (const [name, group] of names) {
    const { outcome, unsupported } = await judged(name, {
      config: ({ cases }) => {
        cases.splice(1);
        Object.assign(group ? cases[0][group] : cases[0], { made_up: 1 });
      },
    });
    assert.is(outcome, "unsupported", name);
    const path = group ? `${group}.made_up` : "made_up";
    assert.equal(unsupported, [`sub-case c0 is unsupported: setting ${path} is not read`]);
  }
});

test("a case without sub-cases is unsupported as a whole", async () => {
  const config = (settings: ManifestCase["config"]) => Object.assign(settings, { made_up: 1 });
  for (const name of ["edm_eps_adm", "edm_eps_song"]) {
    const verdict = await judged(name, { config });
    assert.is(verdict.outcome, "unsupported");
    assert.is(verdict.where, "setting made_up is not read");
    assert.is(verdict.compared, 0);
  }
  const { where } = await judged("dmd_karras_sigmas", {
    config: ({ tables }) => Object.assign(tables[1], { made_up: 1 }),
  });
  assert.is(where, "setting tables[1].made_up is not read");
});

test("a case whose reference values were changed has failed", async () => {
  for (const [name, tensor] of [
    ["ops_index", "c3.out"],
    ["sampler_edm", "c0.out.x"],
    ["edm_eps_adm", "out.D_x"],
    ["dmd_karras_sigmas", "out.sigmas1"],
  ]) {
    const { outcome, where } = await judged(name, {
      tensors: (tensors) => {
        (tensors[tensor].data as Float32Array)[2] += 1;
      },
    });
    assert.is(outcome, "failed", name);
    assert.match(where, `${tensor}[2]`);
  }
});

test("a case with a result that nothing computes is unsupported", async () => {
  const name = "edm_eps_adm";
  const { outcome, where } = await judged(name, {
    tensors: (tensors) => Object.assign(tensors, { "out.logvar": golden(name).tensor("out.D_x") }),
  });
  assert.is(outcome, "unsupported");
  assert.match(where, "logvar");
  const { where: left } = await judged("ema", {
    tensors: (tensors) => Object.assign(tensors, { "c0.out.std": golden("ema").tensor("c0.out.ema") }),
  });
  assert.is(left, "nothing computes c0.out.std");
});

test.run();

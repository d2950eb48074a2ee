import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../backends/reference/mod.ts";
import { WasmBackend } from "../../../backends/wasm/mod.ts";
import { WebGpuBackend } from "../../../backends/webgpu/mod.ts";
import { rivalSet } from "../../helpers/golden.ts";
import { judge } from "../verdict.ts";

const test = suite("test/conformance/kinds (rivals)");

/** The cases, and what of them is unsupported so far. */
const cases: Readonly<Record<string, readonly string[]>> = {
  cm_ct_traj: [],
  cdm_losses: [],
  cm_losses: [],
  cm_samplers: [],
  cm_schedules: [],
  ctm_gamma_sampler: [],
  ctm_losses: [],
  dpdmd: [],
  fastgen_cm: [],
  diff_instruct: [],
  fastgen_dmd2: [],
  fastgen_dmd2_traj: [],
  fastgen_fdistill: [],
  fastgen_kd: [],
  fastgen_ladd: [],
  fastgen_samplers: [],
  fastgen_schedules: [],
  fastgen_tcm: [],
  fastgen_meanflow: [],
  fastgen_scm: [],
  fd_loss: [],
  lcm_distill: [],
  pd_vp: [],
  rectified_flow: [],
  sid: [],
  sida: [],
  tract: [],
  tract_vp: [],
};

for (const open of [async () => new ReferenceBackend(), () => WasmBackend.open(), () => WebGpuBackend.open({})]) {
  const backend = await open();
  for (const [name, unsupported] of Object.entries(cases)) {
    const entry = rivalSet.entries.find(({ file }) => file === `${name}.safetensors`);
    (entry ? test : test.skip)(`${name} on ${backend.info.backend}: within tolerance`, async () => {
      const verdict = await judge(entry!, rivalSet, backend);
      assert.is(verdict.outcome, unsupported.length > 0 ? "partly" : "passed", verdict.where);
      assert.equal(verdict.unsupported, unsupported);
    });
  }
  test(`close ${backend.info.backend}`, () => backend.close());
}

test.run();

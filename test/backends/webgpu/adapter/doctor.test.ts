import { test } from "uvu";
import * as assert from "uvu/assert";
import type { SystemFacts } from "../../../../backends/host/system.ts";
import { adviceFor } from "../../../../backends/webgpu/adapter/advice.ts";
import { type DoctorReport, diagnose, formatReport } from "../../../../backends/webgpu/adapter/doctor.ts";
import { type MatrixTraits, traitsOf } from "../../../../backends/webgpu/adapter/traits.ts";

const linux = (id: string, version = "", cards: string[] = [], like: string[] = []): SystemFacts => ({
  platform: "linux",
  arch: "x64",
  runtime: { name: "node", version: "20.20.2" },
  distribution: { id, version, title: `${id} ${version}`, family: [id, ...like] },
  cores: 2,
  memory: 2 ** 34,
  cards,
});

test("examines this machine", async () => {
  const report = await diagnose();
  console.log(formatReport(report));
  assert.ok(report.adapters.length > 0);
  assert.equal(
    report.backends.map(({ name }) => name),
    ["webgpu", "reference"],
  );
  assert.ok(report.packages.find(({ name }) => name === "webgpu")?.version);
});

test("advises with the system's own package manager", () => {
  const advice = (...args: Parameters<typeof linux>) => adviceFor(linux(...args)).join("\n");
  assert.match(advice("debian", "12"), /bookworm-backports/);
  assert.match(advice("debian", "13"), /: apt install mesa-vulkan-drivers libvulkan1$/m);
  assert.match(advice("linuxmint", "22", [], ["ubuntu", "debian"]), /apt install/);
  assert.match(advice("fedora", "42"), /dnf install/);
  assert.match(advice("arch"), /pacman -S/);
  assert.match(advice("alpine"), /glibc/);
  assert.match(advice("debian", "13", ["nvidia"]), /NVIDIA_DRIVER_CAPABILITIES/);
  assert.match(advice("debian", "13", ["amd"]), /\/dev\/dri/);
  for (const platform of ["darwin", "win32", "browser", "sunos"])
    assert.is(adviceFor({ ...linux(""), platform }).length, 1);
});

test("does not advise what is there already", () => {
  const advice = adviceFor(linux("debian", "13"), { installed: true, fromPackage: true });
  assert.not.match(advice.join("\n"), /apt|npm/);
});

test("says which subgroup matrices work, and why not others", () => {
  const lineOf = (found: MatrixTraits) => {
    const info = { vendor: "apple", architecture: "metal-3", device: "", description: "" };
    const offer = { features: new Set(), limits: {} } as unknown as GPUAdapter;
    const traits = traitsOf(info as GPUAdapterInfo, offer, "dawn", found);
    const adapters = [{ traits, origin: "system", openMs: 1 }] as const;
    const nothing = { packages: [], problems: [], backends: [], advice: [] };
    const text = formatReport({ system: linux("debian"), ...nothing, adapters });
    return text.match(/subgroup matrices: (.+)/)?.[1];
  };
  const form = { layout: "template", uses: ["products"] } as const;
  const f32 = { factors: "f32", M: 8, N: 8, K: 8, ...form } as const;
  const f16 = { factors: "f16", M: 16, N: 8, K: 16, ...form } as const;
  assert.is(lineOf({ matrices: [f32, f16] }), "8x8x8 f32, 16x8x16 f16→f32");
  assert.is(lineOf({ matrices: [f32], matricesProblem: "16x8x16 f16→f32: no" }), "8x8x8 f32, but 16x8x16 f16→f32: no");
  assert.is(lineOf({ matrices: [], matricesProblem: "turned off" }), "none, turned off");
});

test("formats a machine with nothing", () => {
  const report: DoctorReport = {
    system: linux("debian", "13"),
    packages: [{ name: "webgpu" }],
    adapters: [],
    problems: ["no glibc"],
    backends: [{ name: "webgpu", uses: "nothing: no adapter works" }],
    advice: ["buy one"],
  };
  assert.is(
    formatReport(report),
    `system     debian 13, x64, 2 cores, 16 GiB memory
runtime    node 20.20.2
packages   webgpu missing
adapters
  none
problems
  no glibc
backends
  webgpu     nothing: no adapter works
for a faster device
  - buy one
`,
  );
});

test.run();

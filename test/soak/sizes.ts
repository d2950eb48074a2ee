/**
 * `node build.mjs soak sizes --network sd15 --folder DIR`: a network of true size with made-up weights, in a file of halves, on
 * wasm. Prints how many parameters it has, how long loading takes beside a plain script that reads the file and copies it, what
 * memory it takes beside what was planned, and how long a forward pass takes, beside PyTorch's with `--python PYTHON`. Each is done
 * `--turns` times, in turns, in a process of its own, which makes `--passes` passes, and judged by its least CPU time. `--forward off`
 * only loads, `--profile on` lists the slowest steps. The file is made in DIR unless it is there, and removed with `--keep off`.
 */
import { execFileSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  countParameters,
  forward,
  loaded,
  makeFile,
  networks,
  type Planned,
  peakBytes,
  plainRead,
  planned,
  type Took,
  timed,
} from "./trueSizes.ts";

/** Loading may take so much more than the plain script, memory than was planned, a pass than PyTorch's in f32. */
const BARS = { loading: 1.5, memory: 1.25, pass: 2.5 };

const { values } = parseArgs({
  options: {
    network: { type: "string", default: "sd15" },
    folder: { type: "string" },
    turns: { type: "string", default: "3" },
    forward: { type: "string", default: "on" },
    passes: { type: "string", default: "2" },
    profile: { type: "string", default: "off" },
    keep: { type: "string", default: "on" },
    python: { type: "string" },
    part: { type: "string" },
  },
});
const { network, folder } = values;
const passCount = Number(values.passes);

/** What a process of its own tells. */
interface Told extends Took {
  readonly peak: number;
  readonly device?: string;
  readonly plan?: Planned;
  readonly pass?: {
    readonly passes: readonly Took[];
    readonly finite: boolean;
    readonly steps: readonly (readonly [label: string, ms: number])[];
  };
}

async function tell(part: string, path: string): Promise<Told> {
  if (part === "read") {
    const { ms, cpuMs } = await timed(() => plainRead(path));
    return { ms, cpuMs, peak: peakBytes() };
  }
  const ready = await loaded(network, path);
  const { ms, cpuMs } = ready.loading;
  const device = ready.backend.info.name;
  const plan = planned(ready);
  if (part === "load") {
    const peak = peakBytes();
    await ready.backend.close();
    return { ms, cpuMs, peak, device, plan };
  }
  const { passes, values: y, steps } = await forward(ready, passCount);
  const peak = peakBytes();
  await ready.backend.close();
  const pass = {
    passes,
    finite: y.every(Number.isFinite),
    steps: steps.map(({ label, ms }) => [label, ms / passCount] as const),
  };
  return { ms, cpuMs, peak, device, plan, pass };
}

const ask = (part: string): Told =>
  JSON.parse(
    execFileSync(
      process.execPath,
      [process.argv[1], "--network", network, "--folder", folder!, "--passes", values.passes, "--part", part],
      {
        encoding: "utf8",
        maxBuffer: 2 ** 26,
      },
    ),
  );

const least = (all: readonly Took[]): number => Math.min(...all.map(({ cpuMs }) => cpuMs)) / 1000;
const seconds = (all: readonly Took[]): string =>
  `${least(all).toFixed(2)} s of CPU time at least (${all.map(({ cpuMs }) => (cpuMs / 1000).toFixed(2)).join(", ")})`;
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** Prints how a figure stands to its bar. */
function judge(what: string, ratio: number, bar: number): boolean {
  console.log(`${what}: ${ratio.toFixed(2)} ×, at most ${bar}: ${ratio <= bar ? "holds" : "MISSED"}`);
  return ratio <= bar;
}

async function main(path: string): Promise<boolean> {
  console.log(`${network}: ${countParameters(network).toLocaleString("en")} parameters`);
  if (!existsSync(path)) console.log(`made ${path}: ${(await makeFile(network, path)).toLocaleString("en")} bytes`);
  const [reads, loads]: Told[][] = [[], []];
  for (let turn = 0; turn < Number(values.turns); turn++) {
    reads.push(ask("read"));
    loads.push(ask("load"));
  }
  console.log(`${loads[0].device}, Node ${process.versions.node}`);
  console.log(`read and copied: ${seconds(reads)}; loaded: ${seconds(loads)}, peak ${mib(loads[0].peak)}`);
  const { weightBytes, activationBytes } = loads[0].plan!;
  const whole = weightBytes + activationBytes;
  console.log(`planned: weights ${mib(weightBytes)}, buffers and kernels of a forward pass ${mib(activationBytes)}`);
  const holds = [judge("loading : reading", least(loads) / least(reads), BARS.loading)];
  if (values.forward === "off") return holds.every(Boolean);

  const theirs: Took[] = [];
  const ours: Took[] = [];
  let told: Told | undefined;
  for (let turn = 0; turn < Number(values.turns); turn++) {
    if (values.python) theirs.push(...pytorchPasses(values.python));
    told = ask("forward");
    ours.push(...told.pass!.passes);
  }
  const { finite, steps } = told!.pass!;
  holds.push(judge(`peak of ${mib(told!.peak)} : planned`, told!.peak / whole, BARS.memory));
  console.log(`forward pass: ${seconds(ours)}; all of it finite: ${finite}`);
  holds.push(finite);
  if (theirs.length > 0) {
    console.log(`PyTorch's: ${seconds(theirs)}`);
    holds.push(judge("pass : PyTorch's", least(ours) / least(theirs), BARS.pass));
  }
  if (values.profile === "on") {
    const byLabel = new Map<string, number>();
    for (const [label, ms] of steps) byLabel.set(label, (byLabel.get(label) ?? 0) + ms);
    const slowest = [...byLabel].sort((a, b) => b[1] - a[1]).slice(0, 30);
    for (const [label, ms] of slowest) console.log(`${ms.toFixed(0).padStart(7)} ms  ${label}`);
  }
  return holds.every(Boolean);
}

/** SD 1.5's U-Net in PyTorch: `sizes.py` prints the CPU seconds of each pass. */
function pytorchPasses(python: string): Took[] {
  const script = new URL("../../test/soak/sizes.py", import.meta.url).pathname;
  const told = execFileSync(python, [script, "1", values.passes], { encoding: "utf8" });
  return [...told.matchAll(/pass ([\d.]+) s, cpu ([\d.]+) s/g)].map(([, ms, cpu]) => ({
    ms: 1000 * Number(ms),
    cpuMs: 1000 * Number(cpu),
  }));
}

if (!folder || !Object.hasOwn(networks, network)) {
  console.error(`soak sizes: give --folder DIR, and --network one of ${Object.keys(networks).join(", ")}`);
  process.exitCode = 2;
} else {
  const path = join(folder, `${network}.safetensors`);
  if (values.part) console.log(JSON.stringify(await tell(values.part, path)));
  else {
    if (!(await main(path))) process.exitCode = 1;
    if (values.keep === "off") rmSync(path);
  }
}

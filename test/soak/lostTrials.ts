/** Loses the device of runs at chosen moments, and compares what they end with. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { files as disk } from "../../backends/host/files.ts";
import type { FileSystem } from "../../core/io/mod.ts";
import { hostRandom } from "../../core/random/hostRandom.ts";
import { Run, resolveConfig } from "../../core/train/mod.ts";
import { loadRegistry } from "../../examples/cli/registry.ts";
import { eventLog } from "../../plugins/observers/mod.ts";
import { tinyConfig } from "../examples/cli/program.ts";
import { type LossPlan, LossyDevice, MOMENTS, type Moment } from "./lossyDevice.ts";

/** How devices are lost. */
export interface LostRequest {
  /** A folder that is there. */
  readonly folder: string;
  /** Losses in all; a run may have several. */
  readonly count: number;
  readonly seed: number;
  readonly device: string;
  /** Where the runs go; the disk if absent. */
  readonly files?: FileSystem;
  readonly say?: (line: string) => void;
}

/** What became of the runs. */
export interface LostResult {
  runs: number;
  readonly losses: Record<Moment, number>;
  /** Runs that ended with other weights or judgements, did not go on, or did not tell; none is right. */
  readonly faults: string[];
}

const ROLES = ["teacher", "generator", "critic"];
/** The longest time between a call and the loss, in milliseconds; half of the losses come at once. */
const LATEST = 5;

/** Runs until there have been `count` losses. */
export async function lostTrials(request: LostRequest): Promise<LostResult> {
  const { folder, count, seed, device, files = disk, say = () => {} } = request;
  const random = hostRandom(seed, 0, 0);
  const pick = (n: number) => Math.floor(random() * n);
  const config = JSON.parse(
    readFileSync(
      tinyConfig(
        join(folder, "config.json"),
        { steps: 60, sampleEvery: 15, checkpointEvery: 10, evaluateCount: 20 },
        { steps: 30, batch: 8 },
      ),
      "utf8",
    ),
  );
  const resolved = resolveConfig(config, await loadRegistry());
  const total = () => Object.values(result.losses).reduce((sum, n) => sum + n, 0);
  const result: LostResult = {
    runs: 0,
    losses: Object.fromEntries(MOMENTS.map((moment) => [moment, 0])) as LostResult["losses"],
    faults: [],
  };

  /** One run to its end; `next` says where the device is lost after it was opened. */
  const runOne = async (out: string, next: () => LossPlan | undefined) => {
    const lossy = new LossyDevice(device);
    const path = join(folder, out);
    let told = 0;
    try {
      const run = await Run.create({
        resolved,
        backend: await lossy.open(next()),
        output: { files: lossy.watching(files), path },
        reopen: () => lossy.open(next()),
        observers: [
          { name: "lossy", observe: (bus) => lossy.follow(bus) },
          eventLog({ files, path: join(path, "events.jsonl") }),
        ],
      });
      run.bus.on("device/lost", () => void told++);
      run.bus.on("run/warning", ({ source, message }) => void result.faults.push(`${out}: ${source}: ${message}`));
      try {
        const { judgements } = await run.start();
        const weights: string[] = [];
        for (const role of ROLES)
          weights.push(Buffer.from(await files.read(join(path, `${role}.safetensors`))).toString("base64"));
        return { ends: JSON.stringify([judgements, weights]), calls: lossy.calls, told, losses: lossy.losses };
      } finally {
        await run.dispose();
      }
    } finally {
      await lossy.close();
    }
  };

  const whole = await runOne("whole", () => undefined);
  const moments = MOMENTS.filter((moment) => whole.calls.get(moment));
  let planned = pick(moments.length);
  while (total() < count && result.faults.length === 0) {
    const out = `run-${result.runs++}`;
    let left = Math.min(1 + pick(4), count - total());
    const plan = (): LossPlan | undefined => {
      if (left-- <= 0) return undefined;
      // Each kind of moment in turn, so that rare ones are not left out.
      const moment = moments[planned++ % moments.length];
      return { moment, call: pick(whole.calls.get(moment)!), later: pick(2) * random() * LATEST };
    };
    try {
      const { ends, told, losses } = await runOne(out, plan);
      if (ends !== whole.ends) result.faults.push(`${out}: other weights or judgements`);
      for (const [moment, n] of losses) result.losses[moment] += n;
      const lost = [...losses.values()].reduce((sum, n) => sum + n, 0);
      // One that comes while the run is still at it after another is told of with that.
      if (told > lost || (lost > 0 && told === 0)) result.faults.push(`${out}: ${lost} losses, told of ${told}`);
      say(`${out}: ${[...losses.keys()].join(", ") || "none lost"}; ${total()} losses`);
    } catch (error) {
      result.faults.push(`${out}: ${(error as Error).stack}`);
    }
    if (result.faults.length === 0) await files.remove(join(folder, out));
  }
  return result;
}

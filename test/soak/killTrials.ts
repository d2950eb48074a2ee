/** Kills runs of the command line at random moments, lets them go on, and compares what they end with. */
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hostRandom } from "../../core/random/hostRandom.ts";
import { start, tinyConfig } from "../examples/cli/program.ts";

/** How runs are killed. */
export interface KillRequest {
  /** A folder that is there. */
  readonly folder: string;
  /** Kills in all; a run may be killed several times. */
  readonly count: number;
  readonly seed: number;
  readonly device: string;
  readonly say?: (line: string) => void;
}

/** What became of them. */
export interface KillResult {
  kills: number;
  /** Runs that were killed at least once, and have ended. */
  runs: number;
  /** Times a run went on from a checkpoint, or anew because nothing was kept. */
  resumed: number;
  anew: number;
  /** Runs that ended with other weights, or did not go on; none is right. */
  readonly faults: string[];
}

const ROLES = ["teacher", "generator", "critic"];
/** The longest that a run goes before it is killed, as a part of the time of a whole one. */
const LONGEST = 0.9;

/** Kills, resumes and compares until there have been `count` kills. */
export async function killTrials({ folder, count, seed, device, say = () => {} }: KillRequest): Promise<KillResult> {
  const random = hostRandom(seed, 0, 0);
  const config = tinyConfig(
    join(folder, "config.json"),
    { steps: 400, sampleEvery: 100, checkpointEvery: 25, evaluateCount: 20 },
    { steps: 60, batch: 8 },
  );
  const words = (out: string) => ["--out", join(folder, out), "--device", device, "--quiet"];
  const fresh = (out: string) => ["train", config, ...words(out)];
  const weights = (out: string) => ROLES.map((role) => readFileSync(join(folder, out, `${role}.safetensors`)));

  const began = performance.now();
  const whole = await (await start(fresh("whole"))).ended;
  if (whole.code !== 0) throw new Error(`the run that is not killed failed: ${whole.stderr}`);
  const time = performance.now() - began;
  const expected = weights("whole");
  const result: KillResult = { kills: 0, runs: 0, resumed: 0, anew: 0, faults: [] };

  while (result.kills < count) {
    const out = `run-${result.runs++}`;
    let command = fresh(out);
    for (;;) {
      const { child, ended } = await start(command);
      const after = random() * time * LONGEST;
      const timer = setTimeout(() => child.kill("SIGKILL"), result.kills < count ? after : 2 ** 30);
      const { code, stderr } = await ended;
      clearTimeout(timer);
      if (child.signalCode === "SIGKILL") result.kills++;
      else if (code !== 0) {
        // A folder without a run: it was killed before there was one.
        const empty = /holds no run/.test(stderr) && !existsSync(join(folder, out, "config.json"));
        if (!empty) {
          result.faults.push(`${out}: exit ${code}, ${stderr.trim()}`);
          break;
        }
        result.anew++;
        command = fresh(out);
        continue;
      } else {
        if (!weights(out).every((bytes, i) => bytes.equals(expected[i]))) result.faults.push(`${out}: other weights`);
        break;
      }
      if (/starts from its beginning/.test(stderr)) result.anew++;
      else result.resumed++;
      command = ["train", "--resume", ...words(out)];
    }
    say(`${result.kills} kills, ${result.runs} runs, ${result.faults.length} faults`);
    if (result.faults.length === 0) rmSync(join(folder, out), { recursive: true, force: true });
  }
  return result;
}

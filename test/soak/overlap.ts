/**
 * `node build.mjs soak overlap --width 1024 --depth 4 --batch 512 --turns 9 --hosts on --rate 1gbit`: how much of the time in which
 * gradients are summed over two ranks is hidden behind the computing of the rest. The same updates of a network are made in three
 * ways, in turns: stretches of the gradient are sent as soon as they are done, all of it is sent afterwards, nothing is sent. Prints
 * median times of a step, how long the later rank waits for sums when its part is computed, and the share of that which is hidden,
 * `1 - meanwhile / afterwards`; fails below the bar. Says too how near the model of `onestep plan --ranks` comes to steps of one and two ranks. With `--hosts on` each rank is on a "host" of its own, a network namespace, behind a cable that is as fast as `--rate` says.
 */
import { parseArgs } from "node:util";
import { type SharedStep, scaledStep } from "../../examples/cli/plan/scaling.ts";
import { bundled, hasMpirun, type JobEnded, runRanks } from "../helpers/mpirun.ts";
import { hostsMissing, makeTwoHosts } from "../helpers/twoHosts.ts";

/** The share that has to be hidden. */
const BAR = 0.7;
/** How far from what was measured the model of `onestep plan --ranks` may be. */
const MODEL = 0.15;

const { values } = parseArgs({
  options: {
    width: { type: "string", default: "1024" },
    depth: { type: "string", default: "4" },
    batch: { type: "string", default: "512" },
    turns: { type: "string", default: "9" },
    stretch: { type: "string", default: `${2 ** 20}` },
    order: { type: "string", default: "fixed" },
    hosts: { type: "string", default: "off" },
    rate: { type: "string" },
  },
});

const median = (times: readonly number[]) => [...times].sort((a, b) => a - b)[times.length >> 1];

async function run(words: readonly string[]): Promise<JobEnded & { readonly where: string }> {
  const limit = 10 * 60_000;
  if (values.hosts === "off") return { ...(await runRanks(2, words, { limit })), where: "one host" };
  const missing = hostsMissing();
  if (missing) throw new Error(`two hosts can't be made here: ${missing}`);
  const hosts = makeTwoHosts({ rate: values.rate });
  try {
    return { ...(await hosts.run(1, words, { limit })), where: `two hosts, ${hosts.rate}` };
  } finally {
    hosts.remove();
  }
}

async function main(): Promise<number> {
  if (!hasMpirun()) return 1;
  const { width, depth, batch, turns, order, stretch } = values;
  const program = await bundled("test/soak/overlapRank.ts");
  const { code, stdout, stderr, where } = await run([
    process.execPath,
    program,
    width,
    depth,
    batch,
    turns,
    order,
    stretch,
  ]);
  if (code !== 0) throw new Error(`the job ended with ${code}: ${stderr}`);
  const { times, exposed, link, parameters, sent } = JSON.parse(stdout);
  const [meanwhile, afterwards, alone, sum] = ["meanwhile", "afterwards", "alone", "sum"].map((way) =>
    median(times[way]),
  );
  const [open, all] = [median(exposed.meanwhile), median(exposed.afterwards)];
  const hidden = 1 - open / all;
  const ms = (time: number) => `${time.toFixed(0)} ms`;
  console.log(
    `2 ranks, ${where}, order ${order}, ${(parameters / 1e6).toFixed(1)} M parameters (${((4 * sent) / 1e6).toFixed(1)} MB a step), ` +
      `median of ${turns}: a step alone ${ms(alone)}, afterwards ${ms(afterwards)}, meanwhile ${ms(meanwhile)}; the sum by itself ${ms(sum)}; ` +
      `waiting for sums: afterwards ${ms(all)}, meanwhile ${ms(open)}, ${(100 * hidden).toFixed(0)} % hidden`,
  );
  // The fastest turns: what else the machine does slows the others.
  const [one, two, both, part] = ["one", "afterwards", "alone", "part"].map((way) => Math.min(...times[way]));
  const step: SharedStep = {
    batch: 2,
    parts: 2,
    computing: (2 * part) / 1000,
    applying: (both - part) / 1000,
    sums: 1,
    bytes: 4 * sent,
  };
  const predicted = [1, 2].map(
    (ranks) => 1000 * scaledStep(step, ranks, link, order === "library" ? "library" : "fixed").total,
  );
  const off = [one, two].map((found, i) => predicted[i] / found - 1);
  const shown = [one, two].map(
    (found, i) =>
      `${i + 1} rank${i ? "s" : ""} ${ms(predicted[i])}, took ${ms(found)} (${(100 * off[i]).toFixed(0)} %)`,
  );
  console.log(`the model of \`onestep plan --ranks\` says of the fastest turn: ${shown.join("; ")}`);
  return hidden >= BAR && off.every((each) => Math.abs(each) <= MODEL) ? 0 : 1;
}

process.exitCode = await main();

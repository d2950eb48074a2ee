/**
 * `node build.mjs soak overlap --width 1024 --depth 4 --batch 512 --turns 9 --hosts on --rate 1gbit`: how much of the time in which
 * gradients are summed over two ranks is hidden behind the computing of the rest. The same updates of a network are made in three
 * ways, in turns: stretches of the gradient are sent as soon as they are done, all of it is sent afterwards, nothing is sent. Prints
 * median times and the share that is hidden, `1 - (meanwhile - alone) / (afterwards - alone)`, and fails below the bar. With
 * `--hosts on` each rank is on a "host" of its own, a network namespace, behind a cable that is as fast as `--rate` says.
 */
import { parseArgs } from "node:util";
import { bundled, hasMpirun, type JobEnded, runRanks } from "../helpers/mpirun.ts";
import { hostsMissing, makeTwoHosts } from "../helpers/twoHosts.ts";

/** The share that has to be hidden. */
const BAR = 0.7;

const { values } = parseArgs({
  options: {
    width: { type: "string", default: "1024" },
    depth: { type: "string", default: "4" },
    batch: { type: "string", default: "512" },
    turns: { type: "string", default: "9" },
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
  const { width, depth, batch, turns, order } = values;
  const program = await bundled("test/soak/overlapRank.ts");
  const { code, stdout, stderr, where } = await run([process.execPath, program, width, depth, batch, turns, order]);
  if (code !== 0) throw new Error(`the job ended with ${code}: ${stderr}`);
  const { times, parameters, sent } = JSON.parse(stdout);
  const [meanwhile, afterwards, alone, sum] = ["meanwhile", "afterwards", "alone", "sum"].map((way) =>
    median(times[way]),
  );
  const hidden = 1 - (meanwhile - alone) / (afterwards - alone);
  const ms = (time: number) => `${time.toFixed(0)} ms`;
  console.log(
    `2 ranks, ${where}, order ${order}, ${(parameters / 1e6).toFixed(1)} M parameters (${((4 * sent) / 1e6).toFixed(1)} MB a step), ` +
      `median of ${turns}: alone ${ms(alone)}, afterwards ${ms(afterwards)}, meanwhile ${ms(meanwhile)}; the sum by itself ${ms(sum)}; ` +
      `${(100 * hidden).toFixed(0)} % hidden`,
  );
  return hidden >= BAR ? 0 : 1;
}

process.exitCode = await main();

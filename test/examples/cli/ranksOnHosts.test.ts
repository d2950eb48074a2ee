// Training on two "hosts", network namespaces that are joined by a cable. Run with ONESTEP_RANKS=all only, as the gate does.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { hasMpirun } from "../../helpers/mpirun.ts";
import { hostsMissing, makeTwoHosts, type TwoHosts } from "../../helpers/twoHosts.ts";
import { onestep, program, scratch } from "./program.ts";

const test = suite("examples/cli ranks on two hosts");

const wanted = process.env.ONESTEP_RANKS === "all" && hasMpirun();
const missing = wanted ? hostsMissing() : undefined;
if (missing) console.log(`two hosts can't be made here, training on them is not tested: ${missing}`);
const between = wanted && !missing ? test : test.skip;

const { path, remove } = scratch();
let hosts: TwoHosts | undefined;
test.after(() => {
  hosts?.remove();
  remove();
});

const DEVICE = ["--device", "wasm", "--threads", "1", "--quiet"];
const SETTINGS = Object.entries({
  "train.steps": 300,
  "train.batch": 24,
  "train.accumulate": 2,
  "train.evaluateCount": 20,
  "train.checkpointEvery": 5,
  "method.teacher.batch": 24,
  "method.teacher.steps": 3,
}).flatMap(([name, value]) => ["--set", `${name}=${value}`]);
const train = (name: string) => ["train", "gaussians", ...DEVICE, ...SETTINGS, "--out", path(name)];

/** Whether a checkpoint of the distillation is there. */
const isUnderWay = (name: string) => {
  const folder = `${path(name)}/checkpoint`;
  return existsSync(folder) && readdirSync(folder).some((file) => /^2-.*-[1-9]\d*\./.test(file));
};

/** The process on the second host that runs the command line. */
const rankOf = ({ processes }: TwoHosts, main: string) =>
  processes(1).find((pid) => {
    try {
      const [command, ...words] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return command.includes("node") && words[0] === main;
    } catch {
      return false; // it has just ended
    }
  });

between("a rank that is killed ends the job on both hosts; it goes on with one process, to the same bits", async () => {
  const main = await program();
  hosts = makeTwoHosts({ rate: "1gbit" });
  let ended = false;
  const job = hosts.run(1, [process.execPath, main, ...train("shared")]).finally(() => (ended = true));
  while (!ended && !isUnderWay("shared")) await new Promise((resolve) => setTimeout(resolve, 20));
  const killed = performance.now();
  const rank = rankOf(hosts, main);
  if (rank !== undefined) process.kill(rank, "SIGKILL");
  const { code, stderr } = await job;
  const seconds = (performance.now() - killed) / 1000;
  assert.is.not(code, 0);
  assert.match(stderr, /rank 1 .* exited on signal 9/);
  assert.ok(seconds < 10, `${seconds} s`);
  assert.equal([hosts.processes(0), hosts.processes(1)], [[], []], "nothing is left on either");

  const resumed = await onestep("train", "--resume", ...DEVICE, "--out", path("shared"));
  assert.is(resumed.code, 0, resumed.stderr);
  const alone = await onestep(...train("alone"));
  assert.is(alone.code, 0, alone.stderr);
  const weights = (name: string) => readFileSync(`${path(name)}/generator.safetensors`);
  assert.equal(weights("shared"), weights("alone"));
});

test.run();

// The files of examples/cluster, read: none of these systems is here to run them on.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parse } from "yaml";
import { commands } from "../../examples/cli/commands.ts";
import { parseFlags } from "../../examples/cli/parseFlags.ts";
import { presets } from "../../examples/cli/presets.ts";
import { commandsIn } from "./pageCommands.ts";

const test = suite("examples/cluster");
const read = (name: string) => readFileSync(`examples/cluster/${name}`, "utf8");

/** The words of every command that starts onestep, and of what stands in front of it. */
const starts = (script: string) =>
  script
    .replaceAll("\\\n", " ")
    .split("\n")
    .flatMap(commandsIn)
    .filter((words) => words.includes("onestep") && /^(exec|srun|mpirun)$/.test(words[0]))
    .map((words) => {
      const at = words.indexOf("onestep");
      return { launcher: words.slice(0, at).filter((word) => word !== "exec"), words: words.slice(at + 1) };
    });

/** @throws where the command line does not take these words */
function checkTrain(words: readonly string[]): void {
  assert.is(words[0], "train");
  const given = parseFlags(commands.find(({ name }) => name === "train")!, words.slice(1));
  const [preset] = given.positionals;
  if (!given.on("resume")) assert.ok(preset in presets, preset);
}

const number = (words: readonly string[], flag: string) => Number(words[words.indexOf(flag) + 1]);

test("scripts are ones that a shell reads", () => {
  for (const [shell, name] of [
    ["sh", "ssh.sh"],
    ["bash", "slurm.sh"],
  ]) {
    const { error, status, stderr } = spawnSync(shell, ["-n", `examples/cluster/${name}`], { encoding: "utf8" });
    if (!error) assert.is(status, 0, stderr);
  }
});

test("ssh: one rank for each slot of the hosts, with words that train takes", () => {
  const slots = [...read("hosts").matchAll(/^\w+ slots=(\d+)$/gm)].map(([, count]) => Number(count));
  const [{ launcher, words }, ...more] = starts(read("ssh.sh"));
  assert.equal(more, []);
  assert.is(launcher[0], "mpirun");
  assert.is(
    number(launcher, "-n"),
    slots.reduce((sum, count) => sum + count, 0),
  );
  assert.ok(existsSync(`examples/cluster/${launcher[launcher.indexOf("--hostfile") + 1]}`));
  checkTrain(words);
});

/** Options of sbatch, of its manual, that the example uses. */
const SBATCH: Record<string, RegExp> = {
  "job-name": /^\w+$/,
  nodes: /^\d+$/,
  "ntasks-per-node": /^\d+$/,
  "gpus-per-task": /^\d+$/,
  "cpus-per-task": /^\d+$/,
  time: /^\d\d:\d\d:\d\d$/,
  signal: /^USR2@\d+$/,
  requeue: /^$/,
  "open-mode": /^(append|truncate)$/,
};

test("Slurm: options of sbatch in front of the script, ranks by srun, the signal and the status that train has", () => {
  const script = read("slurm.sh");
  const [head] = script.split(/\n(?!#)/);
  const options = [...head.matchAll(/^#SBATCH --([\w-]+)(?:=(\S+))?$/gm)];
  assert.is(options.length, script.match(/#SBATCH/g)!.length, "all of them stand before the first command");
  for (const [, name, value = ""] of options) assert.match(value, SBATCH[name] ?? /never/, name);
  const [{ launcher, words }] = starts(script);
  assert.equal(launcher, ["srun", "--mpi=pmix"]);
  // Both ways that the array of the script may be filled.
  for (const filled of [["--resume"], ["pictures", "--data", "x"]])
    checkTrain(words.slice(0, words.indexOf("||")).flatMap((word) => (word.includes("resume[@]") ? filled : [word])));
  assert.match(script, /-eq 130 /);
  assert.match(readFileSync("examples/cli/exitStatus.ts", "utf8"), /INTERRUPTED = 130;/);
});

test("Kubernetes: a job of the MPI operator, with one rank for each slot of its workers", () => {
  const { apiVersion, kind, spec } = parse(read("kubernetes.yaml"));
  assert.equal([apiVersion, kind, spec.mpiImplementation], ["kubeflow.org/v2beta1", "MPIJob", "OpenMPI"]);
  const { Launcher, Worker } = spec.mpiReplicaSpecs;
  const [launcher] = Launcher.template.spec.containers;
  const [worker] = Worker.template.spec.containers;
  const found = starts(launcher.command[2]);
  assert.is(found.length, 2);
  for (const { launcher, words } of found) {
    assert.is(number(launcher, "-n"), Worker.replicas * spec.slotsPerWorker);
    checkTrain(words);
  }
  assert.is(worker.resources.limits["nvidia.com/gpu"], spec.slotsPerWorker);
  for (const { template } of [Launcher, Worker]) {
    const [{ volumeMounts }] = template.spec.containers;
    assert.equal([volumeMounts[0].name, template.spec.volumes[0].name], ["shared", "shared"]);
  }
});

test.run();

// A run that is killed at any of its file operations leaves a folder that resumes, or in which the same command starts anew, and
// that ends with the same bits.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { isDraft } from "../../../../core/io/mod.ts";
import { CheckpointError } from "../../../../core/mod.ts";
import type { RunRequest } from "../../../../core/train/mod.ts";
import { eventLog } from "../../../../plugins/observers/mod.ts";
import { type Death, dyingFiles } from "../../../helpers/dyingFiles.ts";
import { copyOf, type MemoryFiles, memoryFiles } from "../../../helpers/memoryFiles.ts";
import { tiny, tinyRun } from "../support.ts";

const test = suite("core/train/run killed");

/** A teacher and a generator, which learns without a critic: few programs to trace. */
const SMALL = {
  critic: false,
  optimizers: { critic: false },
  losses: {
    ...Object.fromEntries(Object.keys(tiny.losses).map((name) => [name, name === "edm-denoising" && {}])),
    shrink: { weight: 1 },
  },
  method: { teacher: { steps: 1 } },
  train: { steps: 2, checkpointEvery: 1, evaluateCount: 2, logEvery: 1 },
};
type Existing = NonNullable<RunRequest["output"]>["existing"];

/** Runs to the end, with its log; `stopAt` is a step of the distillation after which it stops. */
async function finish(files: RunRequest["output"] & object, over: object = SMALL, stopAt?: number): Promise<void> {
  const { run } = await tinyRun(over, { output: files });
  eventLog({ files: files.files, path: "out/events.jsonl" }).observe(run.bus);
  run.bus.on("step/end", ({ stage, step }) => {
    if (stage === "distillation" && step === stopAt) run.stop();
  });
  try {
    await run.start();
    await run.bus.settled();
  } finally {
    await run.dispose();
  }
}

/** What the folder of such a run holds in the end, its log aside. */
const results = ({ contents }: MemoryFiles) =>
  Object.fromEntries([...contents].filter(([path]) => path !== "out/events.jsonl"));

/** As a person, or a script that starts a run again and again, would go on: first with --resume, then as it was started. */
async function goOn(files: MemoryFiles, existing: Existing): Promise<"resumed" | "started"> {
  // The command line reads the config from the folder; without one there is nothing to go on with.
  const config = files.contents.get("out/config.json");
  const isOther = config && !new TextDecoder().decode(config).includes('"seed": 0');
  if (config && !isOther) {
    await finish({ files, path: "out", existing: "resume" });
    return "resumed";
  }
  await finish({ files, path: "out", existing });
  return "started";
}

/** Kills a run at every operation, each way, and lets it go on. `from` is the folder it begins in. */
async function walk(from: MemoryFiles, existing: Existing): Promise<Record<string, number>> {
  const whole = copyOf(from);
  const counting = dyingFiles(whole);
  await finish({ files: counting, path: "out", existing });
  const expected = results(whole);
  const ways: Record<string, number> = { operations: counting.operations.length, resumed: 0, started: 0 };
  for (let fatal = 1; fatal <= counting.operations.length; fatal++)
    for (const death of ["half", "after"] satisfies Death[]) {
      // Of these there is no half: nothing is done, as after the operation before.
      if (death === "half" && !/^(write|append) /.test(counting.operations[fatal - 1])) continue;
      const label = `${death} operation ${fatal}, ${counting.operations[fatal - 1]}`;
      const files = copyOf(from);
      const dying = dyingFiles(files, fatal, death);
      const killed = await finish({ files: dying, path: "out", existing }).then(
        () => undefined,
        (error) => error,
      );
      assert.ok(killed === undefined || killed.message === "killed", `${label}: ${killed?.stack}`);
      const left = copyOf(files);
      try {
        ways[await goOn(left, existing)]++;
      } catch (error) {
        assert.unreachable(`${label}: ${(error as Error).stack}`);
      }
      assert.equal(results(left), expected, label);
      assert.not(
        [...left.contents.keys()].some((path) => isDraft(path) || path.endsWith(".lock")),
        label,
      );
      const log = new TextDecoder().decode(left.contents.get("out/events.jsonl"));
      for (const line of log.trimEnd().split("\n")) assert.not.throws(() => JSON.parse(line), `${label}: ${line}`);
    }
  return ways;
}

test("a new run", async () => {
  const ways = await walk(memoryFiles(), undefined);
  console.log(`killed: ${JSON.stringify(ways)}`);
  assert.ok(ways.operations > 15 && ways.resumed > ways.started);
});

test("a run that replaces another", async () => {
  const files = memoryFiles({ "out/notes.txt": "mine" });
  await finish({ files, path: "out" }, { ...SMALL, train: { ...SMALL.train, seed: 7, steps: 1 } });
  await files.write("out/samples/own.wav", Uint8Array.of(1));
  await walk(files, "replace");
});

test("a run that goes on", async () => {
  const files = memoryFiles();
  await finish({ files, path: "out" }, SMALL, 0);
  await walk(files, "resume");
});

test("a killed run is told by its folder: only one that was made", async () => {
  const error = await finish({ files: memoryFiles(), path: "out", existing: "resume" }).catch((reason) => reason);
  assert.instance(error, CheckpointError);
});

test.run();

// What a run does when its device is lost; that it ends in the same bits, test/soak/lost.test.ts shows.
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { ReferenceBackend } from "../../../../backends/reference/mod.ts";
import { failure, type OnestepError } from "../../../../core/errors.ts";
import type { Backend } from "../../../../core/interfaces/backend.ts";
import type { Run, TrainEvents } from "../../../../core/train/mod.ts";
import { type MemoryFiles, memoryFiles } from "../../../helpers/memoryFiles.ts";
import { statesOf, tinyRun } from "../support.ts";

const test = suite("core/train/run/deviceLosses");

/** A device that stops to compile, run and read when it is told to. */
function device() {
  const backend: Backend = new ReferenceBackend();
  const { compile } = backend;
  let lost = false;
  const check = () => {
    if (lost) throw failure("E_DEVICE_LOST", "Cannot go on with it: the device was lost, somebody pulled it out");
  };
  backend.compile = async (...args) => {
    check();
    const executable = await compile.apply(backend, args);
    const { run } = executable;
    executable.run = async (inputs) => {
      check();
      return run.call(executable, inputs);
    };
    return executable;
  };
  return { backend, lose: () => (lost = true) };
}

interface Story {
  readonly files?: MemoryFiles;
  readonly over?: unknown;
  /** Whether the device is lost after a step; and what else happens then. */
  readonly lostAfter: (stage: string, step: number, losses: number, run: Run) => boolean;
  readonly reopen?: () => Promise<Backend>;
}

/** A run that loses its device, to its end. */
async function play({ files = memoryFiles(), over, lostAfter, reopen }: Story) {
  let now = device();
  let losses = 0;
  const told: TrainEvents["device/lost"][] = [];
  const { run, events } = await tinyRun(over ?? { train: { checkpointEvery: 4 } }, {
    backend: now.backend,
    output: { files, path: "out" },
    reopen: async () => {
      now = device();
      return reopen ? reopen() : now.backend;
    },
  });
  run.bus.on("device/lost", (event) => void told.push(event));
  run.bus.on("step/end", ({ stage, step }) => {
    if (!lostAfter(stage, step, losses, run)) return;
    losses++;
    now.lose();
  });
  const error: OnestepError | undefined = await run.start().then(
    () => undefined,
    (reason) => reason,
  );
  const states = await statesOf(run);
  await run.dispose();
  return { error, told, events, losses, states };
}

test("it goes on from its newest checkpoint, says so once, and ends in the same bits", async () => {
  const whole = await play({ lostAfter: () => false });
  const { error, told, states, events } = await play({
    lostAfter: (stage, step, losses) => losses === 0 && stage === "distillation" && step === 5,
  });
  assert.is(error, undefined);
  assert.equal(states, whole.states);
  assert.equal(
    told.map(({ stage, step, lost, path }) => ({ stage, step, lost, path })),
    [
      {
        stage: "distillation",
        step: 4,
        lost: { stage: "distillation", step: 6 },
        path: told[0].path,
      },
    ],
  );
  assert.match(told[0].reason, "pulled it out");
  assert.match(told[0].path!, "checkpoint");
  assert.equal(
    events.filter(({ type }) => ["run/warning", "run/failed"].includes(type)),
    [],
  );
});

test("weights that were set since the checkpoint are set again", async () => {
  const set = (stage: string, step: number, run: Run) => {
    if (stage === "distillation" && step === 4 && run.trainer.changedWeights.size === 0)
      run.send({ type: "set-weight", loss: "gan-generator", weight: 0.5 });
  };
  const whole = await play({
    lostAfter: (stage, step, _, run) => {
      set(stage, step, run);
      return false;
    },
  });
  const { states, told } = await play({
    lostAfter: (stage, step, losses, run) => {
      if (losses === 0) set(stage, step, run);
      return losses === 0 && stage === "distillation" && step === 6;
    },
  });
  assert.is(told.length, 1);
  assert.equal(states, whole.states);
});

test("it gives up when losses come without a checkpoint in between, and names the one to go on from", async () => {
  const { error, told, losses } = await play({ lostAfter: (stage, step) => stage === "distillation" && step === 5 });
  assert.is(losses, 4);
  assert.is(told.length, 3);
  assert.is(error?.code, "E_DEVICE_LOST");
  assert.match(error!.message, "that is the 4th time without a checkpoint in between");
  assert.match(error!.fix, /--resume; it goes on from out\/checkpoint\//);
  const often = await play({
    lostAfter: (_, step, losses) => losses < 9 && step % 2 === 1,
    over: { train: { checkpointEvery: 1 } },
  });
  assert.is(often.error, undefined);
  assert.ok(often.losses > 4);
});

test("it never goes on on another device, and tells why none opens", async () => {
  const once: Story["lostAfter"] = (_, step) => step === 1;
  const strange = new ReferenceBackend();
  Object.assign(strange, { info: { ...strange.info, name: "another one" } });
  const other = await play({ lostAfter: once, reopen: async () => strange });
  assert.is(other.error?.code, "E_DEVICE_LOST");
  assert.match(other.error!.message, "what opens in its place is another one, reference: another one");
  assert.match(other.error!.fix, "--resume");
  const none = await play({
    lostAfter: once,
    reopen: async () => {
      throw failure("E_NO_ADAPTER", "Cannot open a device: found none");
    },
  });
  assert.is(none.error?.code, "E_DEVICE_LOST");
  assert.match(none.error!.message, "it can't be opened again: Cannot open a device: found none");
});

test("without an output or a way to open it again, the loss ends the run", async () => {
  const { backend, lose } = device();
  const { run, events } = await tinyRun({}, { backend, reopen: async () => device().backend });
  run.bus.on("step/end", () => lose());
  const error = await run.start().catch((reason) => reason);
  assert.is(error.code, "E_DEVICE_LOST");
  assert.is(events.filter(({ type }) => type === "run/failed").length, 1);
  await run.dispose();
});

test.run();

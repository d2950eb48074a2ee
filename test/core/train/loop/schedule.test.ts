import { lastValueFrom, take } from "rxjs";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { EventBus } from "../../../../core/train/loop/bus.ts";
import { type Command, Control } from "../../../../core/train/loop/control.ts";
import {
  runSchedule,
  type SchedulePlan,
  schedule,
  type TurnAt,
  turnsAt,
} from "../../../../core/train/loop/schedule.ts";

const test = suite("core/train/schedule");

const tick = (ms = 0) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const letters: Readonly<Record<string, string>> = { teacher: "t", generator: "G", critic: "c" };
const letter = ({ turn: { role }, step }: TurnAt) => `${letters[role]}${step}`;

/** A stage of so many steps whose steps have the turns of `cycle`: a word each, a letter per turn. */
const stageOf = (steps: number, cycle = "Gc c c c c"): SchedulePlan["stage"] => {
  const roleOf = (letter: string) => Object.keys(letters).find((name) => letters[name] === letter)!;
  const turns = cycle.split(" ").map((word) => [...word].map((each) => ({ role: roleOf(each) })));
  return { name: "distillation", steps, cycle: turns };
};

/** What a test changes about a plan; `during` is called in every update. */
interface Changes extends Partial<Omit<SchedulePlan, "stage">> {
  readonly steps?: number;
  readonly cycle?: string;
  readonly during?: (entry: string) => unknown;
}

/** A plan whose updates and commands write a log, `G0` for the generator's update at step 0. */
function logged({ steps = 6, cycle, during, ...overrides }: Changes = {}) {
  const log: string[] = [];
  const bus = new EventBus();
  const update = async (at: TurnAt) => {
    const entry = letter(at);
    log.push(entry);
    await during?.(entry);
    return { loss: { read: async () => at.step } };
  };
  bus.on("control/received", ({ step, command }) => log.push(`${command.type}@${step}`));
  const plan: SchedulePlan = { stage: stageOf(steps, cycle), update, bus, ...overrides };
  const run = () => runSchedule(plan);
  return { log, bus, plan, run };
}

test("turnsAt: the turns of step i are those of cycle[i mod length], the same objects", () => {
  const stage = stageOf(0, "Gc c");
  for (const step of [0, 1, 2, 3, 1000, 1001]) assert.is(turnsAt(stage, step), stage.cycle[step % 2]);
});

test("an update is told whose turn is next; after the last there is none", async () => {
  const told: string[] = [];
  const update = async (at: TurnAt, next?: TurnAt) => {
    told.push(`${letter(at)}>${next ? letter(next) : ""}`);
    return {};
  };
  await logged({ update, cycle: "Gc c", steps: 3 }).run();
  assert.is(told.join(" "), "G0>c0 c0>c1 c1>G2 G2>c2 c2>");
});

test("six steps at ratio 5", async () => {
  const { log, run } = logged();
  assert.is(await run(), 6);
  assert.is(log.join(" "), "G0 c0 c1 c2 c3 c4 G5 c5");
});

test("teacher training is the same loop with another cycle", async () => {
  const { log, run } = logged({ cycle: "t", steps: 3 });
  await run();
  assert.is(log.join(" "), "t0 t1 t2");
});

test("a resumed run goes on where the alternation stood", async () => {
  const { log, run } = logged({ start: 4 });
  assert.is(await run(), 6);
  assert.is(log.join(" "), "c4 G5 c5");
});

test("no steps complete at once; nothing runs before somebody subscribes", async () => {
  const { log, plan, run } = logged({ steps: 0 });
  schedule({ ...plan, stage: stageOf(6) });
  assert.is(await run(), 0);
  assert.equal(log, []);
});

test("events: each update with its losses, then the end of the step", async () => {
  const { bus, run } = logged({ steps: 2 });
  const events: string[] = [];
  bus.listen((event) => events.push(event.type));
  let read: Promise<number> | undefined;
  const told: string[] = [];
  bus.on("role/updated", ({ stage, role, step, losses }) => {
    told.push(`${stage} ${role} ${step}`);
    if (role === "critic") read = losses.loss.read();
  });
  const times: number[] = [];
  bus.on("step/end", ({ stage, ms }) => times.push(stage === "distillation" ? ms : -1));
  await run();
  assert.is(events.join(" "), "role/updated role/updated step/end role/updated step/end");
  assert.equal(told, ["distillation generator 0", "distillation critic 0", "distillation critic 1"]);
  assert.is(await read, 1);
  assert.ok(times.every((ms) => ms >= 0 && ms < 1000));
});

test("back-pressure: turns never overlap, however long they take", async () => {
  let busy = 0;
  let most = 0;
  const { run } = logged({
    steps: 4,
    async during() {
      most = Math.max(most, ++busy);
      await tick(2);
      busy--;
    },
  });
  await run();
  assert.is(most, 1);
});

test("an update that rejects ends the run with its error", async () => {
  const control = new Control();
  const { log, run } = logged({
    control,
    during(entry) {
      if (entry === "c2") throw new Error("loss is NaN");
    },
  });
  const error = await run().catch((reason) => reason);
  assert.is(error.message, "loss is NaN");
  assert.is(log.at(-1), "c2");
  await control.done;
});

test("a listener that throws does not end the run", async () => {
  const { log, bus, run } = logged();
  const warnings: string[] = [];
  bus.on("run/warning", ({ source }) => warnings.push(source));
  bus.on("step/end", () => JSON.parse("{"), "report");
  await run();
  assert.is(log.at(-1), "c5");
  assert.equal(warnings, Array(6).fill("report"));
});

test("pause holds between two turns and resume goes on", async () => {
  const control = new Control();
  const { log, run } = logged({
    steps: 2,
    control,
    during: (entry) => entry === "G0" && control.pause(),
  });
  const end = run();
  await tick(10);
  assert.is(log.join(" "), "G0 pause@0");
  control.resume();
  await end;
  assert.is(log.join(" "), "G0 pause@0 resume@0 c0 c1");
});

test("stop lets the step finish, and done waits for it", async () => {
  const control = new Control();
  const { log, run } = logged({
    control,
    async during(entry) {
      if (entry === "G0") control.send({ type: "stop" });
      await tick(5);
    },
  });
  const end = run();
  await control.done;
  assert.is(log.join(" "), "G0 c0 stop@1");
  assert.is(await end, 1);
});

test("stop ends a paused run, wherever it is held", async () => {
  for (const [during, says] of [
    ["G0", "G0 pause@0 pause@0 c0 stop@1"],
    ["c0", "G0 c0 pause@1 pause@1 stop@1"],
  ]) {
    const control = new Control();
    const { log, run } = logged({ control, during: (at) => at === during && control.pause() });
    const end = run();
    await tick(5);
    const stopped = control.stop();
    control.pause();
    await stopped;
    await end;
    assert.is(log.join(" "), says);
  }
});

test("checkpoint and set-weight wait for the end of the step, also of the last", async () => {
  const control = new Control();
  const obeyed: string[] = [];
  const { log, run } = logged({
    steps: 2,
    control,
    during(entry) {
      if (entry === "G0") control.setWeight("gan", 0.5);
      if (entry === "c1") control.checkpoint();
    },
    obey: async (command, step) => {
      await tick(2);
      obeyed.push(`${command.type}@${step}`);
    },
  });
  await run();
  assert.is(log.join(" "), "G0 c0 set-weight@1 c1 checkpoint@2");
  assert.equal(obeyed, ["set-weight@1", "checkpoint@2"]);
});

test("a checkpoint asked for between the steps of a paused run is taken at once", async () => {
  const control = new Control();
  const { log, run } = logged({
    steps: 2,
    control,
    during: (entry) => entry === "c0" && control.pause(),
  });
  const end = run();
  await tick(5);
  control.checkpoint();
  await tick(5);
  assert.is(log.join(" "), "G0 c0 pause@1 checkpoint@1");
  control.resume();
  await end;
});

test("a command that cannot be carried out is a warning", async () => {
  const control = new Control();
  const { log, bus, run } = logged({
    steps: 2,
    control,
    during: (entry) => entry === "c0" && control.setWeight("gna", 1),
    obey() {
      throw new Error("no loss is called gna");
    },
  });
  bus.on("run/warning", ({ source, message }) => log.push(`${source}: ${message}`));
  await run();
  assert.is(log.join(" "), "G0 c0 set-weight@1 control/set-weight: no loss is called gna c1");
});

test("the record of a run's commands repeats them before the same steps", async () => {
  const commands: { step: number; command: Command }[] = [];
  const first = new Control();
  const original = logged({
    control: first,
    async during(entry) {
      if (entry === "c1") first.setWeight("gan", 2);
      if (entry === "c2") {
        first.pause();
        setTimeout(() => first.resume(), 3);
      }
      if (entry === "c3") first.send({ type: "stop" });
    },
  });
  original.bus.on("control/received", (event) => commands.push(event));
  await original.run();

  const again = logged({ control: new Control(JSON.parse(JSON.stringify(commands))) });
  await again.run();
  const timeless = original.log.filter((entry) => !/pause|resume/.test(entry));
  assert.equal(again.log, timeless);
  assert.is(again.log.join(" "), "G0 c0 c1 set-weight@2 c2 c3 stop@4");
});

test("unsubscribing gives up before the next turn, and done waits for the current one", async () => {
  const control = new Control();
  const { log, plan } = logged({ control, during: () => tick(5) });
  let over = false;
  const subscription = schedule(plan).subscribe();
  void control.done.then(() => {
    over = true;
  });
  await tick(1);
  subscription.unsubscribe();
  assert.not.ok(over);
  await control.done;
  assert.is(log.join(" "), "G0");
});

test("unsubscribing releases a paused run", async () => {
  const control = new Control();
  const { plan } = logged({ control, during: () => control.pause() });
  const subscription = schedule(plan).subscribe();
  await tick(5);
  subscription.unsubscribe();
  await control.done;
});

test("an operator may end the run by itself", async () => {
  const { log, plan } = logged();
  await lastValueFrom(schedule(plan).pipe(take(2)));
  await tick();
  assert.is(log.join(" "), "G0 c0 c1");
});

test("a run that never waits leaves timers their turn", async () => {
  const control = new Control();
  setTimeout(() => void control.stop(), 20);
  const { run } = logged({ control, steps: 1e9 });
  assert.ok((await run()) < 1e9);
});

test("a control serves one run; a second leaves the first alone", async () => {
  const control = new Control();
  const { log, run } = logged({ control, steps: 2, during: () => tick(2) });
  const first = run();
  const error = await run().catch((reason) => reason);
  assert.match(error.message, "a Control serves one run");
  await first;
  assert.is(log.join(" "), "G0 c0 c1");
});

test.run();

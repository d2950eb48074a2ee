import { failure, type OnestepError, suggestion } from "../../errors.ts";
import type { Backend, HostArray } from "../../interfaces/backend.ts";
import { DATASET, type DataFolder } from "../../interfaces/dataset.ts";
import type { Method, Stage } from "../../interfaces/method.ts";
import type { FileSystem } from "../../io/files.ts";
import type { ResolvedConfig } from "../config/config.ts";
import { type Checkpoint, listCheckpoints, openCheckpoint } from "../files/checkpoint.ts";
import type { RunFolder } from "../files/runFolder.ts";
import type { OpenWeights } from "../files/startWeights.ts";
import { EventBus } from "../loop/bus.ts";
import { Control, type RecordedCommand } from "../loop/control.ts";
import type { TrainEvents } from "../loop/events.ts";
import { type ProbedNode, pathOf } from "../update/probe.ts";
import { Trainer } from "../update/trainer.ts";
import { composeRun } from "./compose.ts";
import { loggedEvents } from "./loggedEvents.ts";
import type { Position } from "./progress.ts";
import { playersUpTo, positionOf } from "./resume.ts";
import { startFromFiles } from "./startFromFiles.ts";

/** A step of a run in a folder, to be run once more. */
export interface ReplayRequest {
  readonly files: FileSystem;
  readonly folder: RunFolder;
  /** Its own, complete. */
  readonly resolved: ResolvedConfig;
  readonly backend: Backend;
  readonly data?: DataFolder;
  /** As the run had it: see `RunRequest`. */
  readonly openWeights?: OpenWeights;
  /** The last that has steps, by default. */
  readonly stage?: string;
  readonly step: number;
  /** Whose values are kept, by their paths; none by default. */
  readonly dumps?: (path: string) => boolean;
}

/** What an update of the step came to, then and now. */
export interface ReplayedUpdate {
  readonly role: string;
  /** Losses, the norm of the gradient and what else is read of an update, by name. */
  readonly values: Readonly<Record<string, number>>;
  /** What the run's log has for it; absent where it has nothing. */
  readonly logged?: Readonly<Record<string, number>>;
  /** Whether the log says that it was left out, as it was not finite. */
  readonly wasLeftOut: boolean;
  /** Where it is not finite now. */
  readonly leftOut?: TrainEvents["role/left-out"];
}

/** A value of the step. */
export interface DumpedValue {
  /** Such as `generator/0042/mlp/l1.weight/matmul`. */
  readonly path: string;
  readonly shape: readonly number[];
  readonly values: HostArray;
}

/** A step that was run again. */
export interface Replay {
  readonly stage: string;
  /** The checkpoint's file that it went on from. */
  readonly from: string;
  readonly updates: readonly ReplayedUpdate[];
  readonly dumped: readonly DumpedValue[];
  /** The device of the run, as its log has it. */
  readonly device?: string;
}

/**
 * Runs one step of a stored run again, from the nearest checkpoint before it. Nothing in the folder changes. Draws follow from
 * seed and step, so on the same device it comes to the same bits.
 * @throws E_OPTION for a stage or a step that the run does not have, E_CHECKPOINT when no checkpoint is as early as that
 */
export async function replayStep(request: ReplayRequest): Promise<Replay> {
  const { files, folder, resolved, backend, data = {}, step, dumps } = request;
  const container = await composeRun(resolved, backend, data);
  const bus = new EventBus();
  // A step that is not finite is looked at to its end.
  const settings = { ...resolved.settings, nonFinite: "skip" as const };
  const trainer = new Trainer(container, backend, container.get(DATASET), bus, settings);
  try {
    const { stages } = trainer.method;
    const stage = stageOf(trainer, request.stage);
    if (step >= stage.steps)
      throw failure(
        "E_OPTION",
        `Cannot replay step ${step}: stage ${stage.name} has the steps 0 to ${stage.steps - 1}`,
        {
          fix: "choose another --step, or another --stage",
        },
      );
    const place = stages.indexOf(stage);
    const { checkpoint, position } = await nearest(request, trainer, { stage: place, step });
    const players = playersUpTo(trainer, position.stage);
    const held = players.map(({ name }) => name);
    await startFromFiles(trainer, resolved, held, files, request.openWeights);
    await trainer.restore(players, stages[position.stage], checkpoint.manifest, checkpoint.states);
    const log = await loggedEvents(files, folder.events);
    const commands = log.commandsAfter(checkpoint.path);

    let from = position;
    for (; from.stage < place; from = { stage: from.stage + 1, step: 0 }) {
      await advance(trainer, from, stages[from.stage].steps, commands);
      await trainer.begin(stages[from.stage + 1]);
    }
    if (from.step < step) {
      await advance(trainer, from, step, commands);
      from = { stage: place, step };
    }

    const updates: ReplayedUpdate[] = [];
    const dumped: DumpedValue[] = [];
    const readings: Promise<void>[] = [];
    const leftOut = new Map<string, TrainEvents["role/left-out"]>();
    bus.on("role/left-out", (event) => void leftOut.set(event.role, event));
    bus.on("role/updated", ({ role, losses }) => {
      const read = Object.entries(losses).map(async ([name, scalar]) => [name, await scalar.read()] as const);
      readings.push(
        Promise.all(read).then((values) => {
          const logged = log.losses(stage.name, role, step);
          const wasLeftOut = log.wasLeftOut(stage.name, role, step);
          updates.push({ role, values: Object.fromEntries(values), logged, wasLeftOut, leftOut: leftOut.get(role) });
        }),
      );
    });
    await trainer.prepare(stage);
    await trainer.train(stage, {
      start: step,
      startTurn: from.turn,
      end: step + 1,
      control: new Control(commands),
      before: async (at) => {
        if (!dumps) return;
        const probe = trainer.probe(stage, at);
        const named = (probed: ProbedNode, part: number) => {
          const path = `${at.turn.role}/${pathOf(probe, probed)}`;
          return probe.parts > 1 ? `${path}/part ${part}` : path;
        };
        const nodes = probe.nodes.filter((probed) => dumps(named(probed, 0)));
        for await (const portion of probe.values({ nodes }))
          for (const { probed, part, values } of portion)
            dumped.push({ path: named(probed, part), shape: probed.node.shape, values });
      },
    });
    await Promise.all(readings);
    return { stage: stage.name, from: checkpoint.path, updates, dumped, device: log.device };
  } finally {
    trainer.dispose();
    await container.dispose();
  }
}

/** Trains on from a position to a step of the same stage. */
async function advance(
  trainer: Trainer,
  { stage: place, step: start, turn: startTurn }: Position,
  end: number,
  commands: readonly RecordedCommand[],
): Promise<void> {
  const stage = trainer.method.stages[place];
  if (start >= end) return;
  await trainer.prepare(stage);
  await trainer.train(stage, {
    start,
    startTurn,
    end,
    control: new Control(commands.filter(({ step }) => step < end)),
  });
}

function stageOf({ method: { stages } }: Trainer, name: string | undefined): Stage {
  const names = stages.map((each) => each.name);
  const found = name === undefined ? stages.filter(({ steps }) => steps > 0).at(-1) : stages[names.indexOf(name)];
  if (found) return found;
  throw failure(
    "E_OPTION",
    `Cannot replay stage ${name}: the run has ${names.join(", ")}${name === undefined ? "" : suggestion(name, names)}`,
    { fix: "choose one of them with --stage" },
  );
}

/** A checkpoint and where it stands. */
interface Stop {
  readonly checkpoint: Checkpoint;
  readonly position: Position;
}

/** The furthest sound checkpoint that does not lie behind a step. */
async function nearest({ files, folder }: ReplayRequest, { method }: Trainer, wanted: Position): Promise<Stop> {
  const paths = await listCheckpoints(files, folder.checkpoint);
  let earliest: Stop | undefined;
  let within: Stop | undefined;
  let damaged: OnestepError | undefined;
  for (const path of paths) {
    const checkpoint = await openCheckpoint(files, folder.checkpoint, path).catch((error: OnestepError) => {
      damaged ??= error;
    });
    if (!checkpoint) continue;
    const position = positionOf(checkpoint.manifest, method, path);
    const ahead = position.stage - wanted.stage || position.step - wanted.step;
    if (ahead > 0) earliest = { checkpoint, position };
    // Better the whole step than what was left of it.
    else if (ahead === 0 && position.turn) within ??= { checkpoint, position };
    else if (ahead === 0 || !within) return { checkpoint, position };
    else break;
  }
  if (within) return within;
  if (damaged && !earliest) throw damaged;
  throw unreachable(folder, method, wanted, earliest);
}

/** What can be reached instead of a step that lies before all checkpoints. */
function unreachable(folder: RunFolder, { stages }: Method, wanted: Position, earliest: Stop | undefined) {
  const refuse = (why: string, fix: string) =>
    failure("E_CHECKPOINT", `Cannot replay step ${wanted.step} of stage ${stages[wanted.stage].name}: ${why}`, { fix });
  if (!earliest)
    return refuse(
      `no checkpoint is as early, ${folder.checkpoint} has none`,
      "give the folder of a run that has kept a checkpoint",
    );
  const { checkpoint, position } = earliest;
  const why = `no checkpoint is as early, the earliest is ${checkpoint.path}`;
  const again = `train once more, from ${folder.config} into another --out, and replay there before the run is complete`;
  // At the end of a stage, the next one comes.
  const place = stages.findIndex(
    ({ steps }, i) => i >= position.stage && steps > (i === position.stage ? position.step : 0),
  );
  const next = place >= 0 && { name: stages[place].name, step: place === position.stage ? position.step : 0 };
  if (!next)
    return refuse(`${why}; a run that is complete keeps that of its end alone, so no step can be reached`, again);
  return refuse(
    `${why}; the earliest step that can be reached is step ${next.step} of stage ${next.name}`,
    `choose --stage ${next.name} and a --step from ${next.step} on; or ${again}, with --set train.keep=N to reach further back`,
  );
}

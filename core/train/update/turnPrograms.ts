import type { Backend, Executable, Memory } from "../../interfaces/backend.ts";
import type { DataShape } from "../../interfaces/dataset.ts";
import type { Loss } from "../../interfaces/loss.ts";
import type { Method, Stage, Turn } from "../../interfaces/method.ts";
import type { GivenDraws } from "../batch/givenDraws.ts";
import { allocateKept } from "../batch/turnImages.ts";
import type { TrainSettings } from "../config/trainOptions.ts";
import { breathe } from "../loop/breathe.ts";
import type { Ranks } from "../ranks/ranks.ts";
import { type DiagnosisProgram, diagnosisProgram } from "./diagnosis.ts";
import { rolesOf } from "./roles.ts";
import { turnStream } from "./streams.ts";
import type { Traces } from "./traces.ts";
import type { Players, TurnDefinition } from "./turnContext.ts";
import { type TurnProgram, turnProgram } from "./turnProgram.ts";
import { weightProgram } from "./weightReadings.ts";

/** A traced update, compiled when its stage begins. */
interface PreparedTurn extends TurnProgram {
  run?: Executable;
  applyRun?: Executable;
}

/** An update that can run. */
export interface CompiledTurn extends PreparedTurn {
  readonly run: Executable;
  /** Readings of the weights of its role. */
  readonly weights: Executable;
}

interface PreparedDiagnosis extends DiagnosisProgram {
  run?: Executable;
}

/** What the programs of a method are made of, and for which device. */
export interface ProgramsRequest {
  readonly method: Method;
  readonly players: Players;
  readonly losses: readonly Loss[];
  readonly data: DataShape;
  readonly settings: Pick<TrainSettings, "accumulate" | "checkpointing" | "diagnoseEvery" | "nonFinite">;
  readonly draws: GivenDraws | undefined;
  readonly ranks: Ranks;
  readonly backend: Backend;
  readonly memory: Memory;
  readonly traces: Traces;
}

/** The programs of a method's turns: each is traced once, compiled when it is needed, and freed with its stage. */
export class TurnPrograms {
  readonly #request: ProgramsRequest;
  /** By stage and turn. */
  readonly #turns = new Map<string, PreparedTurn>();
  readonly #diagnoses = new Map<string, PreparedDiagnosis>();
  /** Readings of a role's weights. */
  readonly #weights = new Map<string, Executable>();

  constructor(request: ProgramsRequest) {
    this.#request = request;
  }

  /** Compiles the programs of a stage, so that its first step is not slow, and drops those of other stages. */
  async prepare(stage: Stage): Promise<void> {
    for (const [key, prepared] of this.#turns) if (!key.startsWith(`${stage.name}: `)) release(prepared);
    const turns = distinctTurns(stage);
    for (const turn of turns) {
      this.traced(stage, turn);
      await breathe();
    }
    // In falling size, programs share the most memory.
    const size = (turn: Turn) => this.traced(stage, turn).program.plan.bytes;
    for (const turn of turns.sort((a, b) => size(b) - size(a))) {
      await this.compiled(stage, turn);
      if (this.#request.settings.diagnoseEvery) await this.diagnosis(stage, turn);
      await breathe();
    }
  }

  /** What a turn of a stage is traced from. */
  definition(stage: Stage, turn: Turn): TurnDefinition {
    const { method, players, losses, data, settings, draws, ranks } = this.#request;
    const { accumulate, checkpointing, nonFinite } = settings;
    return {
      turn,
      stage,
      maker: method.maker,
      players: Object.fromEntries(rolesOf(method, stage).map((name) => [name, players[name]])),
      losses,
      data,
      parts: accumulate ?? 1,
      bucket: ranks.several ? ranks.bucket : undefined,
      recompute: checkpointing,
      stream: turnStream(method, turn),
      nonFinite: nonFinite ?? "stop",
      noise: draws?.source(turn),
    };
  }

  /** A turn's program, perhaps not yet compiled. */
  traced(stage: Stage, turn: Turn): TurnProgram {
    return this.#prepared(stage, turn);
  }

  #prepared(stage: Stage, turn: Turn): PreparedTurn {
    const key = turnKey(stage, turn);
    let prepared = this.#turns.get(key);
    if (!prepared) {
      prepared = { ...this.#request.traces.once(stage, key, () => turnProgram(this.definition(stage, turn))) };
      this.#turns.set(key, prepared);
    }
    return prepared;
  }

  /** A turn's program on the device, with the states that it needs there. */
  async compiled(stage: Stage, turn: Turn): Promise<CompiledTurn> {
    const { backend, memory, data } = this.#request;
    const prepared = this.#prepared(stage, turn);
    for (const [name, size] of Object.entries(prepared.states)) memory.allocate(name, size);
    if (turn.keeps || turn.images === "kept") allocateKept(memory, data, stage.batch);
    const run = (prepared.run ??= await backend.compile(prepared.program, memory));
    const weights = await this.#weightsOf(stage, turn.role);
    if (prepared.apply) prepared.applyRun ??= await backend.compile(prepared.apply, memory);
    return { ...prepared, run, weights };
  }

  async #weightsOf(stage: Stage, role: string): Promise<Executable> {
    const { backend, memory, players, traces } = this.#request;
    let run = this.#weights.get(role);
    if (!run) {
      const readings = traces.once(stage, `weights of ${role}`, () => weightProgram(players[role]));
      run = await backend.compile(readings, memory);
      this.#weights.set(role, run);
    }
    return run;
  }

  /** The look inside a turn, on the device. */
  async diagnosis(stage: Stage, turn: Turn): Promise<DiagnosisProgram & { readonly run: Executable }> {
    const { backend, memory, traces } = this.#request;
    const key = turnKey(stage, turn);
    const trace = () => diagnosisProgram(this.definition(stage, turn));
    const made: PreparedDiagnosis = this.#diagnoses.get(key) ?? {
      ...traces.once(stage, `diagnosis of ${key}`, trace),
    };
    this.#diagnoses.set(key, made);
    const run = (made.run ??= await backend.compile(made.program, memory));
    return { ...made, run };
  }

  dispose(): void {
    for (const prepared of this.#turns.values()) release(prepared);
    for (const { run } of this.#diagnoses.values()) run?.dispose();
    for (const run of this.#weights.values()) run.dispose();
    this.#turns.clear();
    this.#diagnoses.clear();
    this.#weights.clear();
  }
}

const turnKey = (stage: Stage, { role, images = "made", keeps = false }: Turn): string =>
  `${stage.name}: ${role} ${images}${keeps ? " keeps" : ""}`;

/** The turns of a stage that are programs of their own. */
function distinctTurns(stage: Stage): Turn[] {
  const turns = stage.cycle.flat();
  return [...new Map(turns.map((turn) => [turnKey(stage, turn), turn])).values()];
}

function release(prepared: PreparedTurn): void {
  prepared.run?.dispose();
  prepared.applyRun?.dispose();
  prepared.run = undefined;
  prepared.applyRun = undefined;
}

import { GRADIENT_NORM, isLoss } from "../../../core/interfaces/mod.ts";
import type { HealthWarning, Judgement } from "../../../core/train/mod.ts";
import { incidentText } from "../incidents.ts";
import { type LoggedEvent, loggedLosses } from "../logLines.ts";
import { INTERVAL, judgedText } from "../resultTable.ts";
import { Pace } from "./pace.ts";
import type {
  CurveKind,
  CurveView,
  NoteLevel,
  NoteView,
  RunHead,
  RunState,
  WarningView,
  WeightView,
} from "./runView.ts";
import { type Stretch, ThinnedCourse } from "./thinnedCourse.ts";

/** Notes that are kept: the newest. */
const MOST_NOTES = 400;
/** Curves at most: a log may hold anything. */
const MOST_CURVES = 300;
/** Bytes in a MiB, the unit of memory's curve. */
const MIB = 2 ** 20;

interface Curve extends Omit<CurveView, "stretches"> {
  readonly course: ThinnedCourse;
}

/** What has changed of a curve: its stretches from `from` on are these. */
export interface CurveChange extends Omit<CurveView, "stretches"> {
  readonly from: number;
  readonly stretches: readonly Stretch[];
}

/**
 * Makes of a run's events, one after the other, what there is to see. Events are those of a log: whatever is not as it should be
 * is passed over. Of any number of them it keeps a bounded view.
 */
export class RunModel {
  readonly #curves = new Map<string, Curve>();
  readonly #done = new Map<string, number>();
  readonly #warnings = new Map<string, WarningView>();
  readonly #judgements = new Map<string, Judgement>();
  readonly #weights = new Map<string, number>();
  #notes: NoteView[] = [];
  #config: Readonly<Record<string, unknown>> = {};
  #stages: readonly { readonly name: string; readonly steps: number; readonly calls?: number }[] = [];
  #start: { device?: string; seed?: number; planned?: number } = {};
  #ending: { reason?: string; fault?: string } = {};
  #paused = false;
  #pace = new Pace();
  #stage: string | undefined;
  #seconds: number | undefined;
  #memory: number | undefined;
  #sessions = 0;
  #damaged = 0;

  /** `undefined` stands for a line that is no event. */
  take(event: LoggedEvent | undefined): void {
    if (!event) {
      this.#damaged++;
      return;
    }
    if (isNumber(event.at)) this.#seconds = event.at;
    // Most of a log, first.
    if (event.type === "step/end") {
      this.#stepEnded(event);
      return;
    }
    const reading = loggedLosses(event);
    if (reading) {
      for (const [name, value] of Object.entries(reading.values))
        this.#add(kindOf(name), reading.stage, reading.role, name, reading.step, value);
      return;
    }
    const take = Object.hasOwn(TAKERS, event.type) ? TAKERS[event.type as keyof typeof TAKERS] : undefined;
    if (take) this.#takers[take](event);
  }

  #stepEnded({ stage, step, ms, at }: LoggedEvent): void {
    // Logs of 0.1.0 do not name it.
    const name = typeof stage === "string" ? stage : (this.#stage ?? "distillation");
    if (!isStep(step)) return;
    if (name !== this.#stage) {
      this.#stage = name;
      this.#pace = new Pace();
    }
    this.#done.set(name, step + 1);
    if (!isNumber(ms)) return;
    this.#pace.add(step, ms, at ?? 0);
    this.#add("time", name, "", "time of a step", step, ms);
  }

  readonly #takers = {
    start: (event: LoggedEvent) => {
      this.#sessions++;
      this.#ending = {};
      this.#paused = false;
      this.#pace = new Pace();
      this.#start = {
        device: textOf(event.device),
        seed: isNumber(event.seed) ? event.seed : undefined,
        planned: isNumber(event.plannedBytes) ? event.plannedBytes : undefined,
      };
      if (isObject(event.config)) this.#config = event.config;
      if (Array.isArray(event.stages))
        this.#stages = event.stages.filter(isObject).map(({ name, steps, calls }) => ({
          name: String(name),
          steps: Number(steps),
          calls: isNumber(calls) ? calls : undefined,
        }));
      for (const [loss, options] of Object.entries(isObject(this.#config.losses) ? this.#config.losses : {}))
        if (isObject(options) && isNumber(options.weight)) this.#weights.set(loss, options.weight);
      if (this.#sessions > 1) this.#note("info", `started again, for the ${this.#sessions}. time`);
    },
    end: ({ reason }: LoggedEvent) => {
      this.#ending.reason = textOf(reason);
      this.#paused = false;
    },
    failed: ({ error, step }: LoggedEvent) => {
      const { code, message } = isObject(error) ? error : {};
      this.#ending.fault = [code, message].filter((each) => typeof each === "string").join(": ") || "unknown";
      this.#note("severe", `failed at step ${step}: ${this.#ending.fault}`);
    },
    command: ({ command, step }: LoggedEvent) => {
      if (!isObject(command)) return;
      const { type, loss, weight } = command;
      if (type === "pause" || type === "resume") this.#paused = type === "pause";
      if (type === "set-weight" && typeof loss === "string" && isNumber(weight)) {
        this.#weights.set(loss, weight);
        this.#note("info", `the weight of ${loss} is ${weight} from step ${step} on, by command`);
      } else if (type === "pause" || type === "resume" || type === "stop")
        this.#note("info", `${COMMANDS[type]} before step ${step}, by command`);
    },
    reweighted: ({ loss, weight, step }: LoggedEvent) => {
      if (typeof loss !== "string" || !isNumber(weight) || !isStep(step)) return;
      this.#weights.set(loss, weight);
      this.#add("weight", this.#stage ?? "", "", loss, step, weight);
    },
    diagnosed: ({ stage, role, step, values }: LoggedEvent) => {
      if (typeof stage !== "string" || typeof role !== "string" || !isStep(step)) return;
      // Losses are curves already.
      const losses = isObject(this.#config.losses) ? this.#config.losses : {};
      // Losses are curves of their own, of more steps.
      for (const [name, value] of Object.entries(isObject(values) ? values : {}))
        if (!Object.hasOwn(losses, name))
          this.#add(name.startsWith(PULL) ? "gradient" : "diagnosis", stage, role, name, step, Number(value));
    },
    judgedOnTheWay: (event: LoggedEvent) => {
      const { stage, role, step, metrics } = event;
      if (typeof stage !== "string" || typeof role !== "string" || !isStep(step) || !isObject(metrics)) return;
      for (const [name, value] of Object.entries(metrics))
        if (!name.endsWith(INTERVAL)) this.#add("metric", stage, role, name, step, Number(value));
      if (isNumber(event.seconds)) this.#note("info", judgedText(event as unknown as Parameters<typeof judgedText>[0]));
    },
    judged: (event: LoggedEvent) => {
      if (!isJudgement(event)) return;
      const { who, nfe, count, metrics } = event;
      const numbers = Object.entries(metrics).map(([name, value]) => [name, Number(value)]);
      this.#judgements.set(who, { who, nfe, count, metrics: Object.fromEntries(numbers) });
    },
    memory: ({ stage, step, bytes }: LoggedEvent) => {
      if (typeof stage !== "string" || !isStep(step) || !isNumber(bytes)) return;
      this.#memory = bytes;
      this.#add("memory", stage, "", "device memory", step, bytes / MIB);
    },
    warned: (event: LoggedEvent) => {
      if (!isWarning(event)) return;
      const { monitor, stage, step, steps, message, advice } = event;
      const warning = { monitor, stage, step, steps, message, advice, severe: event.severe === true };
      this.#warnings.set(`${monitor} ${stage} ${step}`, warning);
      this.#note(warning.severe ? "severe" : "warning", `${monitor}, step ${step}: ${message}`);
    },
    eased: ({ monitor, stage, step, since }: LoggedEvent) => {
      const key = `${monitor} ${stage} ${since}`;
      const warning = this.#warnings.get(key);
      if (warning && isStep(step)) this.#warnings.set(key, { ...warning, until: step });
    },
    told: ({ source, message }: LoggedEvent) => this.#note("warning", `${source}: ${message}`),
    saved: ({ step, bytes }: LoggedEvent) =>
      this.#note("info", `checkpoint at step ${step}${isNumber(bytes) ? `, ${(bytes / MIB).toFixed(1)} MiB` : ""}`),
    incident: (event: LoggedEvent) => {
      if (event.type === "role/left-out" && !Array.isArray(event.losses)) return;
      const { type, at: _, ...rest } = event;
      this.#note("warning", incidentText[type as keyof typeof incidentText](rest as never));
      // Their steps come once more, slower or faster.
      this.#pace = new Pace();
    },
  };

  #note(level: NoteLevel, text: string): void {
    this.#notes.push({ level, at: this.#seconds ?? 0, text });
    if (this.#notes.length > 2 * MOST_NOTES) this.#notes = this.#notes.slice(-MOST_NOTES);
  }

  #add(kind: CurveKind, stage: string, role: string, name: string, step: number, value: number): void {
    const key = keyOf(stage, role, name);
    let curve = this.#curves.get(key);
    if (!curve) {
      if (this.#curves.size >= MOST_CURVES) return;
      curve = { key, kind, stage, role, name, course: new ThinnedCourse() };
      this.#curves.set(key, curve);
    }
    curve.course.add(step, value);
  }

  /**
   * The head of the page.
   * @param held whether a process trains in the folder now; undefined where that can't be told
   */
  head(held: boolean | undefined): RunHead {
    const { device, seed, planned } = this.#start;
    const stage = this.#stages.find(({ name }) => name === this.#stage);
    const state = this.#state(held);
    const isOn = state === "running";
    const { rate } = this.#pace;
    const left = stage && rate ? (stage.steps - (this.#done.get(stage.name) ?? 0)) / rate : undefined;
    return {
      state,
      fault: this.#ending.fault,
      device,
      seed,
      stages: this.#stages.map(({ name, steps }) => ({
        name,
        steps,
        done: Math.min(this.#done.get(name) ?? 0, steps),
      })),
      stage: this.#stage,
      seconds: this.#seconds,
      rate,
      callRate: rate && stage?.calls ? rate * stage.calls : undefined,
      left: isOn ? left : undefined,
      memory: this.#memory,
      plannedMemory: planned,
      sessions: this.#sessions,
      damaged: this.#damaged,
    };
  }

  #state(held: boolean | undefined): RunState {
    if (this.#ending.fault !== undefined) return "failed";
    if (this.#ending.reason !== undefined) return this.#ending.reason === "complete" ? "complete" : "stopped";
    if (held === false) return this.#sessions === 0 ? "waiting" : "silent";
    if (this.#sessions === 0) return "waiting";
    return this.#paused ? "paused" : "running";
  }

  get config(): Readonly<Record<string, unknown>> {
    return this.#config;
  }
  get warnings(): readonly WarningView[] {
    return [...this.#warnings.values()];
  }
  get notes(): readonly NoteView[] {
    return this.#notes.slice(-MOST_NOTES);
  }
  /** The last word on each set of samples that was judged. */
  get judgements(): readonly Judgement[] {
    return [...this.#judgements.values()];
  }
  get weights(): readonly WeightView[] {
    return [...this.#weights].map(([loss, weight]) => ({ loss, weight }));
  }
  get curves(): readonly CurveView[] {
    return [...this.#curves.values()].map(({ course, ...curve }) => ({ ...curve, stretches: course.stretches() }));
  }

  /** What is new of each curve since this was last asked; those of which nothing is are left out. */
  takeCurveChanges(): CurveChange[] {
    return [...this.#curves.values()].flatMap(({ course, ...curve }) => {
      const change = course.takeChanges();
      return change ? [{ ...curve, ...change }] : [];
    });
  }
}

/** The start of the names of what each loss pulls at the images with. */
const PULL = "image-gradient ";

const COMMANDS = { pause: "paused", resume: "resumed", stop: "stopped" } as const;

/** Who takes an event, by its type; of others there is nothing to see. */
const TAKERS = {
  "run/start": "start",
  "run/end": "end",
  "run/failed": "failed",
  "run/warning": "told",
  "control/received": "command",
  "loss/reweighted": "reweighted",
  "role/diagnosed": "diagnosed",
  "learner/judged": "judgedOnTheWay",
  "samples/judged": "judged",
  "device/read": "memory",
  "health/warned": "warned",
  "health/eased": "eased",
  "checkpoint/saved": "saved",
  "role/left-out": "incident",
  "run/rolled-back": "incident",
  "device/lost": "incident",
} as const;

const keyOf = (stage: string, role: string, name: string): string => `${stage}, ${role}, ${name}`;
const kindOf = (name: string): CurveKind => (isLoss(name) ? "loss" : name === GRADIENT_NORM ? "gradient" : "diagnosis");

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isStep = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

const isJudgement = (event: LoggedEvent): event is LoggedEvent & Judgement =>
  typeof event.who === "string" && isNumber(event.nfe) && isNumber(event.count) && isObject(event.metrics);

const isWarning = (event: LoggedEvent): event is LoggedEvent & HealthWarning =>
  ["monitor", "stage", "message", "advice"].every((name) => typeof event[name] === "string") &&
  isNumber(event.step) &&
  isNumber(event.steps);

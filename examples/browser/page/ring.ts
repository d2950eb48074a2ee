import type { News } from "../work/messages.ts";
import type { Caller } from "./caller.ts";
import { colour, element, say, wordsOf } from "./elements.ts";

type Frame = Extract<News, { kind: "frame" }>;

/** Half the side of the picture, in units of the plane: the modes stand at distance 1. */
const EXTENT = 1.5;
/** Modes of the data, as rings of two standard deviations in the picture. */
const MODES = { count: 8, reach: 0.24 };

/** The third part of the page: a run in a worker of its own, with its samples in the plane. */
export class RingTraining {
  readonly #open: () => Promise<Caller>;
  readonly #canvas = element<HTMLCanvasElement>("scatter");
  readonly #reading = element("train-reading");
  readonly #start = element<HTMLButtonElement>("train-start");
  readonly #pause = element<HTMLButtonElement>("train-pause");
  readonly #stop = element<HTMLButtonElement>("train-stop");
  #caller: Caller | undefined;
  #real: Float32Array | undefined;
  #frame: Frame | undefined;
  #seen = { stage: "", step: 0, at: 0 };
  #isPaused = false;
  #seed = 0;

  /** @param open gives the worker, on an open device */
  constructor(open: () => Promise<Caller>) {
    this.#open = open;
    this.#start.addEventListener("click", () => void this.run());
    this.#pause.addEventListener("click", () => this.#hold(!this.#isPaused));
    this.#stop.addEventListener("click", () => {
      say(this.#reading, "stopping after this step");
      void this.#caller?.call("control", "stop");
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#paint());
    this.#paint();
  }

  /** Trains to the end, or until it is stopped. */
  async run(): Promise<void> {
    this.#start.disabled = true;
    this.#frame = undefined;
    for (const stage of ["teacher", "distillation"]) this.#progress(stage, 0);
    say(this.#reading, "starting");
    this.#paint();
    try {
      const caller = await this.#open();
      if (caller !== this.#caller) caller.listen((news) => this.#hear(news));
      this.#caller = caller;
      this.#pause.disabled = this.#stop.disabled = false;
      this.#show(false);
      say(this.#reading, "training");
      const { reason, judgements } = await caller.call("train", { seed: this.#seed++ });
      if (reason === "complete") for (const stage of ["teacher", "distillation"]) this.#progress(stage, 1);
      const said = judgements.map(({ who, nfe, metrics }) => {
        const calls = nfe === 0 ? "" : ` in ${nfe} call${nfe === 1 ? "" : "s"}`;
        return `${who === "data" ? "real points" : who}${calls} ${(100 * metrics.in2).toFixed(0)} %`;
      });
      say(
        this.#reading,
        reason === "complete" ? `done; within 2\u2009\u03c3 of a mode: ${said.join(", ")}` : "stopped",
      );
      element("train").dispatchEvent(new CustomEvent("trained", { detail: { reason, judgements } }));
    } catch (error) {
      const isLost = (error as { code?: string }).code === "E_DEVICE_LOST";
      say(this.#reading, isLost ? `${wordsOf(error)}; start anew` : wordsOf(error), true);
    } finally {
      this.#start.disabled = false;
      this.#start.textContent = "Start anew";
      this.#pause.disabled = this.#stop.disabled = true;
      this.#show(false);
    }
  }

  #hold(paused: boolean): void {
    this.#show(paused);
    say(this.#reading, paused ? "paused" : "training");
    void this.#caller?.call("control", paused ? "pause" : "resume");
  }

  #show(paused: boolean): void {
    this.#isPaused = paused;
    this.#pause.textContent = paused ? "Go on" : "Pause";
  }

  #hear(news: News): void {
    if (news.kind === "real") this.#real = news.points;
    if (news.kind === "frame") this.#take(news);
    this.#paint();
  }

  #take(frame: Frame): void {
    this.#frame = frame;
    const { stage, step, steps, nfe, share } = frame;
    const now = performance.now();
    const { at } = this.#seen;
    if (this.#seen.stage === stage && step > this.#seen.step)
      element("fact-speed").textContent = ((1000 * (step - this.#seen.step)) / (now - at)).toFixed(0);
    this.#seen = { stage, step, at: now };
    element("fact-step").textContent = `${step} of ${steps}`;
    element("fact-nfe").textContent = `${nfe}`;
    element("fact-share").textContent = `${(100 * share).toFixed(0)} %`;
    if (stage === "distillation") this.#progress("teacher", 1);
    this.#progress(stage, step / steps);
    for (const each of ["teacher", "distillation"]) element(`stage-${each}`).classList.toggle("now", each === stage);
  }

  #progress(stage: string, value: number): void {
    element<HTMLProgressElement>(`progress-${stage}`).value = value;
  }

  #paint(): void {
    const { width } = this.#canvas;
    const context = this.#canvas.getContext("2d")!;
    const place = (value: number) => ((value / EXTENT + 1) / 2) * width;
    context.clearRect(0, 0, width, width);
    context.lineWidth = 1.5;
    context.strokeStyle = `rgb(${colour("--line")})`;
    for (let k = 0; k < MODES.count; k++) {
      const angle = (2 * Math.PI * k) / MODES.count;
      context.beginPath();
      context.arc(place(Math.cos(angle)), place(-Math.sin(angle)), (MODES.reach / EXTENT / 2) * width, 0, 2 * Math.PI);
      context.stroke();
    }
    if (!this.#frame) {
      context.fillStyle = `rgb(${colour("--quiet")})`;
      context.font = `500 26px ${getComputedStyle(document.body).fontFamily}`;
      context.textAlign = "center";
      context.fillText(
        this.#start.disabled ? "the first points are on their way" : "press Start",
        width / 2,
        width / 2 + 8,
      );
    }
    const dots = (points: Float32Array | undefined, property: string, alpha: number, radius: number) => {
      if (!points) return;
      context.fillStyle = `rgb(${colour(property)} / ${alpha})`.replaceAll(",", " ");
      for (let i = 0; i < points.length; i += 2) {
        context.beginPath();
        context.arc(place(points[i]), place(-points[i + 1]), radius, 0, 2 * Math.PI);
        context.fill();
      }
    };
    dots(this.#real, "--quiet", 0.22, 2.5);
    dots(this.#frame?.points, "--accent", 0.75, 3);
  }
}

import type { DrawRequest, DrawResult, RoleReport } from "../work/messages.ts";
import type { Caller } from "./caller.ts";
import { DigitRow } from "./digitRow.ts";
import { duration, element, say, wordsOf } from "./elements.ts";
import { SIDE } from "./ink.ts";

/** Milliseconds from one noise to the next while digits drift. */
const LEG_MS = 2600;

/** The scale that the slider begins with, where it goes so far: most digits are clear there, and still of many hands. */
const GUIDANCE = 1.5;

/** What is written: the part of the page's address behind #, as `2026/7`. */
const ADDRESS = /^#(\d{1,10})\/(\d{1,9})$/;

/** The first part of the page: digits of the user's choice, anew for each seed, or wandering. */
export class Writing {
  readonly #caller: Caller;
  readonly #row: DigitRow;
  readonly #text = element<HTMLInputElement>("text");
  readonly #seed = element<HTMLInputElement>("seed");
  readonly #reading = element("reading");
  readonly #drift = element<HTMLButtonElement>("drift");
  readonly #guidance = element<HTMLInputElement>("guidance");
  #labels: number[] = [];
  #seeds: number[] = [];
  #drifting = false;
  /** Whether a drawing is under way, and whether another is wanted after it. */
  #busy = false;
  #wanted = false;
  #isReady = false;
  #isSlow = false;
  /** Whether the generator is told a scale of guidance. */
  #isTold = false;

  constructor(caller: Caller) {
    this.#caller = caller;
    this.#row = new DigitRow(element("digits"), (place) => this.#anew(place));
    const [, text, seed] = ADDRESS.exec(location.hash) ?? [];
    if (text) [this.#text.value, this.#seed.value] = [text, seed];
    this.#take();
    for (const field of [this.#text, this.#seed]) field.addEventListener("input", () => this.#taken());
    element("tools").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#seed.value = String((Number(this.#seed.value) + 1) % 1e9);
      this.#taken();
    });
    this.#drift.addEventListener("click", () => this.drift(!this.#drifting));
    this.#guidance.addEventListener("input", () => {
      element("guidance-value").textContent = Number(this.#guidance.value).toFixed(1);
      this.draw();
    });
    for (const look of ["ink", "pixels"] as const)
      element(look).addEventListener("click", () => {
        this.#row.look = look;
        for (const each of ["ink", "pixels"]) element(each).setAttribute("aria-pressed", String(each === look));
      });
  }

  /**
   * The generator is there: draws, and shows what it can be told.
   * @param isSlow whether a digit takes seconds: then they are drawn one by one
   */
  begin({ guidance }: RoleReport, isSlow: boolean): void {
    this.#isReady = true;
    this.#isSlow = isSlow;
    for (const id of ["guidance-field", "guidance-note"]) element(id).hidden = guidance === undefined;
    if (guidance) {
      [this.#guidance.min, this.#guidance.max] = [`${guidance.least}`, `${guidance.most}`];
      if (!this.#isTold) this.#guidance.value = `${Math.min(guidance.most, Math.max(guidance.usual, GUIDANCE))}`;
      this.#isTold = true;
      element("guidance-value").textContent = Number(this.#guidance.value).toFixed(1);
    }
    this.draw();
  }

  /** Draws what is written, once; during a drawing, once more after it. */
  draw(): void {
    if (!this.#isReady || this.#drifting) return;
    if (this.#busy) {
      this.#wanted = true;
      return;
    }
    void this.#draw({}).then(() => {
      if (this.#wanted) this.draw();
    });
  }

  /** Starts or ends the wandering, which ends where a seed is. */
  drift(on: boolean): void {
    this.#drifting = on && this.#isReady;
    this.#drift.setAttribute("aria-pressed", String(this.#drifting));
    if (this.#drifting) void this.#wander();
    else this.draw();
  }

  /** Whether the fields hold something that can be drawn. */
  #take(): boolean {
    if (!this.#text.checkValidity() || !this.#seed.checkValidity() || !this.#text.value || !this.#seed.value)
      return false;
    this.#labels = [...this.#text.value].map(Number);
    this.#seeds = this.#labels.map(() => Number(this.#seed.value));
    return true;
  }

  #taken(): void {
    if (!this.#take()) return;
    history.replaceState(null, "", `#${this.#text.value}/${Number(this.#seed.value)}`);
    this.draw();
  }

  #anew(place: number): void {
    this.#seeds[place] = (this.#seeds[place] + 1000) % 1e9;
    this.draw();
  }

  async #wander(): Promise<void> {
    while (this.#drifting) {
      const toward = this.#seeds.map((seed) => (seed + 1) % 1e9);
      const begun = performance.now();
      for (let part = 0; this.#drifting && part < 1; ) {
        await new Promise(requestAnimationFrame);
        // Slow where a seed is, quick between two.
        const way = Math.min(1, (performance.now() - begun) / LEG_MS);
        part = way * way * (3 - 2 * way);
        if (toward.length !== this.#seeds.length) break;
        if (!(await this.#draw({ toward, part }))) return this.drift(false);
      }
      if (toward.length === this.#seeds.length) this.#seeds = toward;
    }
  }

  /** Whether it went well. */
  async #draw(along: Pick<DrawRequest, "toward" | "part">): Promise<boolean> {
    this.#busy = true;
    this.#wanted = false;
    const [labels, seeds] = [[...this.#labels], [...this.#seeds]];
    const guidance = this.#isTold ? Number(this.#guidance.value) : undefined;
    try {
      const result = await this.#drawn({ role: "generator", labels, seeds, guidance, ...along });
      this.#row.show(labels, result.x);
      const count = labels.length === 1 ? "1 digit" : `${labels.length} digits`;
      const calls = `${result.nfe} network call${result.nfe === 1 ? "" : "s"}${labels.length === 1 ? "" : " each"}`;
      say(this.#reading, `${count}, ${calls}, ${duration(result.ms)}`);
      element("digits").dispatchEvent(new CustomEvent("drawn", { detail: { labels, seeds, ...along, ...result } }));
      return true;
    } catch (error) {
      say(this.#reading, wordsOf(error), true);
      return false;
    } finally {
      this.#busy = false;
    }
  }

  /** All at once; where that takes long, one after the other, each shown as soon as it is there. */
  async #drawn(request: DrawRequest): Promise<DrawResult> {
    if (!this.#isSlow) return this.#caller.call("draw", request);
    const { labels, seeds, toward } = request;
    const x = new Float32Array(labels.length * SIDE * SIDE).fill(-1);
    let ms = 0;
    let nfe = 0;
    for (const place of labels.keys()) {
      if (this.#wanted) break;
      const only = { first: place, labels: [labels[place]], seeds: [seeds[place]], toward: toward && [toward[place]] };
      const one = await this.#caller.call("draw", { ...request, ...only });
      x.set(one.x, place * SIDE * SIDE);
      ms += one.ms;
      nfe = one.nfe;
      this.#row.show(labels, x);
      say(this.#reading, `${place + 1} of ${labels.length} digits, ${duration(ms)}`);
    }
    return { x, ms, nfe, states: [] };
  }
}

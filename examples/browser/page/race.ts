import type { DrawResult, Role } from "../work/messages.ts";
import type { Caller } from "./caller.ts";
import { DigitRow } from "./digitRow.ts";
import { duration, element, megabytes, say, wordsOf } from "./elements.ts";

const roles = ["generator", "teacher"] as const;
const labels = Array.from({ length: 10 }, (_, i) => i);
/** Drawings of each that are timed; the middle one counts. */
const TIMES = { generator: 9, teacher: 3 };
/** Milliseconds that the teacher's steps are shown for, much slower than they were. */
const SHOWN_MS = 2600;

/** The second part of the page: both roles draw from the same noise, and are timed. */
export class Race {
  readonly #caller: Caller;
  readonly #rows: Readonly<Record<Role, DigitRow>>;
  readonly #go = element<HTMLButtonElement>("race-go");
  readonly #reading = element("race-reading");
  #seed = 0;

  constructor(caller: Caller) {
    this.#caller = caller;
    this.#rows = {
      generator: new DigitRow(element("generator-digits")),
      teacher: new DigitRow(element("teacher-digits")),
    };
    for (const role of roles) this.#rows[role].show(labels, new Float32Array(labels.length * 256).fill(-1));
    this.#go.addEventListener("click", () => void this.run());
    caller.listen((news) => {
      if (news.kind === "fetched" && news.role === "teacher")
        say(this.#reading, `fetching the teacher, ${megabytes(news.done)}`);
    });
  }

  async run(): Promise<void> {
    this.#go.disabled = true;
    try {
      await this.#run();
    } catch (error) {
      say(this.#reading, wordsOf(error), true);
    } finally {
      this.#go.disabled = false;
    }
  }

  async #run(): Promise<void> {
    for (const role of roles) {
      await this.#caller.call("load", role);
      element(`${role}-bar`).style.setProperty("--share", "0");
      say(element(`${role}-figure`), "\u00a0");
    }
    say(this.#reading, "drawing");
    const seeds = labels.map(() => this.#seed);
    this.#seed++;
    const timed = {} as Record<Role, DrawResult>;
    for (const role of roles) {
      const drawn: DrawResult[] = [];
      for (let i = 0; i < TIMES[role]; i++) drawn.push(await this.#caller.call("draw", { role, labels, seeds }));
      timed[role] = drawn.sort((a, b) => a.ms - b.ms)[drawn.length >> 1];
    }
    // Once more for the eye: what is on the way takes time to read, which would not be fair.
    const { states } = await this.#caller.call("draw", { role: "teacher", labels, seeds, watch: true });
    const { generator, teacher } = timed;
    this.#finish("generator", generator, generator.ms / teacher.ms);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    say(
      this.#reading,
      still ? "" : `the teacher's steps, ${Math.max(1, Math.round(SHOWN_MS / teacher.ms))} times slower than they were`,
    );
    for (const [step, x] of still ? [] : states.entries()) {
      this.#rows.teacher.show(labels, x);
      element("teacher-bar").style.setProperty("--share", `${(step + 1) / states.length}`);
      await new Promise((resolve) => setTimeout(resolve, SHOWN_MS / states.length));
    }
    this.#finish("teacher", teacher, 1);
    say(this.#reading, `the generator took 1/${(teacher.ms / generator.ms).toFixed(0)} of the teacher's time`);
    this.#go.textContent = "Race again";
    element("race").dispatchEvent(new CustomEvent("raced", { detail: timed }));
  }

  #finish(role: Role, { x, nfe, ms }: DrawResult, share: number): void {
    this.#rows[role].show(labels, x);
    element(`${role}-bar`).style.setProperty("--share", `${share}`);
    say(element(`${role}-figure`), `${nfe} network call${nfe === 1 ? "" : "s"} a digit, ${duration(ms)} for ten`);
  }
}

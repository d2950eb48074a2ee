import { colour } from "./elements.ts";
import { type Look, paintDigit, SIDE } from "./ink.ts";

/** A row of digits in the page. It keeps what it shows, so that it can be shown in another way. */
export class DigitRow {
  readonly #list: HTMLElement;
  readonly #pick: ((place: number) => void) | undefined;
  #canvases: HTMLCanvasElement[] = [];
  #labels: readonly number[] = [];
  #x = new Float32Array();
  #look: Look = "ink";
  #ink = colour("--ink");

  /** @param pick called with the place of a digit that is chosen; without it digits are pictures */
  constructor(list: HTMLElement, pick?: (place: number) => void) {
    this.#list = list;
    this.#pick = pick;
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#ink = colour("--ink");
      this.#paint();
    });
  }

  set look(look: Look) {
    this.#look = look;
    this.#list.classList.toggle("raw", look === "pixels");
    this.#paint();
  }

  /** Shows digits, [labels, SIDE, SIDE]. */
  show(labels: readonly number[], x: Float32Array): void {
    if (labels.join() !== this.#labels.join()) this.#rebuild(labels);
    this.#x = x as Float32Array<ArrayBuffer>;
    this.#paint();
  }

  #rebuild(labels: readonly number[]): void {
    this.#labels = labels;
    this.#list.style.setProperty("--columns", `${labels.length}`);
    this.#canvases = labels.map(() => document.createElement("canvas"));
    const items = labels.map((label, place) => {
      const item = document.createElement("li");
      const canvas = this.#canvases[place];
      if (!this.#pick) {
        canvas.setAttribute("role", "img");
        canvas.setAttribute("aria-label", `${label}`);
        item.append(canvas);
        return item;
      }
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", `${label}, draw it anew`);
      button.addEventListener("click", () => this.#pick?.(place));
      button.append(canvas);
      item.append(button);
      return item;
    });
    this.#list.replaceChildren(...items);
  }

  #paint(): void {
    const size = SIDE * SIDE;
    for (const [i, canvas] of this.#canvases.entries()) {
      const own = this.#x.subarray(i * size, (i + 1) * size);
      if (own.length === size) paintDigit(canvas, own, this.#look, this.#ink);
    }
  }
}

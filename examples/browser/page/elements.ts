/** The element of the page with this id; index.html has it. */
export function element<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element "${id}"`);
  return found as T;
}

/** Says something in a line of the page. */
export function say(place: HTMLElement, text: string, isWrong = false): void {
  place.classList.toggle("wrong", isWrong);
  if (place.textContent !== text) place.textContent = text;
}

/** The sentence of an error; what helps is in it. */
export const wordsOf = (error: unknown): string => (error as Error).message ?? String(error);

/** The colour of a custom property, as the browser paints it: [red, green, blue], 0 to 255. */
export function colour(property: string): [number, number, number] {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(property);
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  return [red, green, blue];
}

/** 1.08 MB */
export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)} MB`;

/** 8.3 ms, 312 ms or 2.4 s. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms < 20 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

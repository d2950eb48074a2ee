import { type DeviceReport, type Way, ways } from "../work/messages.ts";
import { element, say } from "./elements.ts";

/** What each way is called in a sentence. */
const names: Readonly<Record<Way, string>> = {
  webgpu: "WebGPU",
  threads: "WebAssembly with threads",
  thread: "WebAssembly on one thread",
  reference: "plain JavaScript",
};

/** What each way is where it can be gone, as index.html has it. */
const promises = Object.fromEntries(ways.map((way) => [way, element(`why-${way}`).textContent ?? ""]));

/** The last part of the page: which way computes, why, and another to choose. */
export class Runs {
  readonly #reading = element("way-reading");

  /** @param choose goes another way and shows it */
  constructor(choose: (way: Way) => Promise<void>) {
    for (const radio of this.#radios())
      radio.addEventListener("change", () => {
        say(this.#reading, `opening ${names[radio.value as Way]}`);
        choose(radio.value as Way).catch((error: Error) => say(this.#reading, error.message, true));
      });
  }

  /** @param wish what was asked for; `lost` is why the way before could not go on */
  show({ way, name, passed }: DeviceReport, { wish, lost }: { wish?: Way; lost?: string } = {}): void {
    element("dot").className = lost ? "dot off" : "dot on";
    element("pill-text").textContent = `${names[way]}${way === "webgpu" ? `, ${name}` : ""}`;
    element("pill").title = name;
    for (const each of ways) {
      const why = passed.find((other) => other.way === each)?.why;
      const place = element(`why-${each}`);
      if (each === way) place.textContent = name;
      else place.textContent = why ? `not now: ${why}` : promises[each];
    }
    for (const radio of this.#radios()) radio.checked = radio.value === way;
    const why = wish && wish !== way ? passed.find((other) => other.way === wish)?.why : undefined;
    if (lost) say(this.#reading, `The device was lost, so it goes on with ${names[way]}: ${lost}`, true);
    else if (why) say(this.#reading, `${names[wish!]} can't be had, so it is ${names[way]}: ${why}`, true);
    else
      say(
        this.#reading,
        `Digits are computed by ${names[way]}${wish === way ? ", as you chose" : reason(way, passed)}`,
      );
    document.documentElement.dataset.way = way;
  }

  #radios(): HTMLInputElement[] {
    return [...document.querySelectorAll<HTMLInputElement>("input[name=way]")];
  }
}

/** Why this way, as the end of a sentence. */
function reason(way: Way, passed: DeviceReport["passed"]): string {
  const better = passed.filter((other) => ways.indexOf(other.way) < ways.indexOf(way));
  const whys = new Map<string, string[]>();
  for (const other of better) whys.set(other.why, [...(whys.get(other.why) ?? []), names[other.way]]);
  const told = [...whys].map(([why, which]) => `${which.join(" and ")} can't be had: ${why}`);
  return told.length > 0 ? `. ${told.join(". ")}` : ", the best of the four";
}

import type { PictureView } from "../../../../plugins/observers/view/runView.ts";
import { whole } from "./numbers.ts";
import { html, useEffect, useState, type VNode } from "./preact.ts";
import type { PageRun } from "./store.ts";

/** Milliseconds for which a picture stands while they are shown one after the other. */
const STANDING = 700;

/** Pictures over time, all from the same noise, the other roles beside; one slider for all runs. */
export function Samples({ runs }: { readonly runs: readonly PageRun[] }): VNode | undefined {
  const [role, setRole] = useState<string | undefined>(undefined);
  const [step, setStep] = useState<number | undefined>(undefined);
  const [playing, setPlaying] = useState(false);
  const all = runs.flatMap(({ pictures = [] }) => pictures);
  const roles = [...new Set(all.map((picture) => picture.role))];
  const shownRole =
    role !== undefined && roles.includes(role)
      ? role
      : roles.includes("generator")
        ? "generator"
        : roles[roles.length - 1];
  const steps = [...new Set(all.filter((picture) => picture.role === shownRole).map((picture) => picture.step))].sort(
    (a, b) => a - b,
  );
  const last = steps.length - 1;
  const found = step === undefined ? last : steps.findIndex((each) => each >= step);
  const at = found < 0 ? last : found;
  const go = (to: number) => setStep(to >= last ? undefined : steps[Math.max(0, to)]);
  useEffect(() => {
    if (!playing) return;
    const timer = setTimeout(() => {
      if (at < last) go(at + 1);
      if (at + 1 >= last) setPlaying(false);
    }, STANDING);
    return () => clearTimeout(timer);
  });
  if (steps.length === 0) return undefined;
  const play = () => {
    if (!playing && at >= last) go(0);
    setPlaying(!playing && last > 0);
  };
  return html`<section aria-labelledby="samples"><div class="heading"><h2 id="samples">Samples</h2>${
    roles.length > 1 &&
    html`<div class="choice" role="group" aria-label="Drawn by">${roles.map(
      (name) =>
        html`<button type="button" aria-pressed=${name === shownRole} onClick=${() => setRole(name)}>${name}</button>`,
    )}</div>`
  }</div>
  <p class="about">Always from the same noise; beside the ${shownRole} stand real data and the other roles.</p>
  <div class="time">
    <button type="button" onClick=${play} disabled=${last < 1}>${playing ? "Hold" : "Play"}</button>
    <input type="range" min="0" max=${Math.max(last, 1)} value=${at} disabled=${last < 1} aria-label="Step of the samples" aria-valuetext=${`step ${steps[at]}`}
      onInput=${(event: Event) => {
        setPlaying(false);
        go(Number((event.target as HTMLInputElement).value));
      }} />
    <output>step ${whole(steps[at])}</output>
  </div>
  <div class="sheets">${runs.map((run) => html`<${Sheet} key=${run.id} run=${run} several=${runs.length > 1} picture=${upTo(run, shownRole, steps[at])} />`)}</div></section>`;
}

/** The newest picture of a role up to a step. */
const upTo = ({ pictures = [] }: PageRun, role: string, step: number): PictureView | undefined =>
  pictures.filter((each) => each.role === role && each.step <= step).at(-1);

function Sheet({
  run,
  picture,
  several,
}: {
  readonly run: PageRun;
  readonly picture?: PictureView;
  readonly several: boolean;
}) {
  const caption = `${several ? `${run.name}, ` : ""}${picture ? `${picture.role} at step ${whole(picture.step)}` : "no picture yet"}`;
  const source = picture && `runs/${run.id}/samples/${picture.file}?v=${picture.version}`;
  return html`<figure class="sheet">${
    source &&
    html`<a href=${source} target="_blank" rel="noreferrer"><img src=${source} alt=${`Samples of ${caption}`} decoding="async" /></a>`
  }<figcaption>${caption}</figcaption></figure>`;
}

import { duration } from "../../../../plugins/observers/progressDisplay.ts";
import type { RunHead, RunState } from "../../../../plugins/observers/view/runView.ts";
import { bytes, perSecond, whole } from "./numbers.ts";
import { html, type VNode } from "./preact.ts";
import { colourOf } from "./runColour.ts";
import type { PageRun } from "./store.ts";

const STATES: Readonly<Record<RunState, string>> = {
  waiting: "nothing yet",
  running: "running",
  paused: "paused",
  complete: "complete",
  stopped: "stopped",
  failed: "failed",
  silent: "ended without a word",
};

export interface RunCardProps {
  readonly run: PageRun;
  readonly shown: boolean;
  readonly several: boolean;
  readonly onToggle: () => void;
}

/** A run at a glance: how it stands, how far it is, how fast. */
export function RunCard({ run, shown, several, onToggle }: RunCardProps): VNode {
  const { head, name, path, id } = run;
  const state = head?.state ?? "waiting";
  const label = several
    ? html`<label class="toggle"><input type="checkbox" checked=${shown} onChange=${onToggle} /><i class="swatch" style=${{ background: colourOf(id) }}></i>${name}</label>`
    : name;
  return html`<section class=${`card${shown ? "" : " off"}`} aria-label=${`Run ${name}`}>
    <div class="heading"><h2>${label}</h2><span class=${`state ${state}`}>${STATES[state]}</span></div>
    <p class="path">${[path, head?.device].filter(Boolean).join(" · ")}</p>
    ${head?.fault && html`<p class="fault">${head.fault}</p>`}
    ${state === "silent" && html`<p class="fault">It was killed, or the machine went down: <code>onestep train --resume --out ${path}</code> goes on from the last checkpoint.</p>`}
    ${head && head.stages.length > 0 && html`<${Stages} head=${head} />`}
    ${
      head &&
      head.sessions > 0 &&
      html`<dl class="figures">${figures(head).map(
        ([term, value, more]) =>
          html`<div><dt>${term}</dt><dd>${value}${more && html` <small>${more}</small>`}</dd></div>`,
      )}</dl>`
    }
    ${head && head.damaged > 0 && html`<p class="words">${whole(head.damaged)} ${head.damaged === 1 ? "line" : "lines"} of the log can't be read; what they said is missing here.</p>`}
  </section>`;
}

/** A bar of all stages, each as long as its part of the steps. */
function Stages({ head }: { readonly head: RunHead }): VNode {
  const stages = head.stages.filter(({ steps }) => steps > 0);
  return html`<div class="stages">${stages.map(({ name, steps, done }) => {
    const percent = Math.floor((100 * done) / steps);
    return html`<div class=${name === head.stage ? "now" : ""} style=${{ flexGrow: steps }}>
      <div class="bar" role="progressbar" aria-label=${name} aria-valuemin="0" aria-valuemax=${steps} aria-valuenow=${done}><i style=${{ width: `${(100 * done) / steps}%` }}></i></div>
      <p><span>${name}</span> <span>${whole(done)} / ${whole(steps)}${percent < 100 ? ` · ${percent} %` : ""}</span></p>
    </div>`;
  })}</div>`;
}

type Figure = readonly [term: string, value: string, more?: string];

function figures({ state, rate, callRate, left, seconds, memory, plannedMemory, stage, seed }: RunHead): Figure[] {
  const isOn = state === "running" || state === "paused";
  return [
    ...(isOn && left !== undefined ? [["Time left", duration(left), `of ${stage}`] as const] : []),
    ...(seconds !== undefined ? [["Elapsed", duration(seconds)] as const] : []),
    ...(rate !== undefined ? [["Speed", perSecond(rate, "steps")] as const] : []),
    ...(callRate !== undefined ? [["Network calls", perSecond(callRate, "samples")] as const] : []),
    ...(memory !== undefined
      ? [["Device memory", bytes(memory), plannedMemory ? `of ${bytes(plannedMemory)} planned` : undefined] as const]
      : plannedMemory
        ? [["Device memory", bytes(plannedMemory), "planned"] as const]
        : []),
    ...(seed !== undefined ? [["Seed", String(seed)] as const] : []),
  ];
}

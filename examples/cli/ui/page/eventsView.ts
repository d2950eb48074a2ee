import { duration } from "../../../../plugins/observers/progressDisplay.ts";
import { html, type VNode } from "./preact.ts";
import type { PageRun } from "./store.ts";

/** Notes that are shown of each run: the newest. */
const SHOWN = 60;

/** What happened, the newest first. */
export function Events({ runs }: { readonly runs: readonly PageRun[] }): VNode | undefined {
  const told = runs.filter(({ notes = [] }) => notes.length > 0);
  if (told.length === 0) return undefined;
  return html`<section aria-labelledby="events"><h2 id="events">Events</h2>${told.map(
    ({ id, name, notes = [] }) => html`<div key=${id}>${runs.length > 1 && html`<h3>${name}</h3>`}
      <ol class="events" tabindex="0" aria-label=${`Events of ${name}, the newest first`}>${[...notes]
        .slice(-SHOWN)
        .reverse()
        .map(
          ({ level, at, text }) =>
            html`<li class=${level}><span class="at">${duration(at)}</span><span>${text}</span></li>`,
        )}</ol></div>`,
  )}</section>`;
}

import { Curves } from "./curvesView.ts";
import { Events } from "./eventsView.ts";
import { Health } from "./healthView.ts";
import { html, useEffect, useState, type VNode } from "./preact.ts";
import { Results } from "./resultsView.ts";
import { RunCard } from "./runCard.ts";
import { Samples } from "./samplesView.ts";
import { Settings } from "./settingsView.ts";
import { Steering } from "./steeringView.ts";
import type { Connection, PageState } from "./store.ts";

/** What stands at the top right. */
const CONNECTIONS: Readonly<Record<Connection, string>> = {
  opening: "connecting …",
  live: "live",
  lost: "no answer, trying again …",
  over: "the program has ended; what it told stays here",
  refused: "the program was started anew: open the address that it has printed",
};

/** Runs that are shown at first, of many. */
const AT_FIRST = 6;

export function App({ connection, hello, runs }: PageState): VNode {
  const [hidden, setHidden] = useState<ReadonlySet<number> | undefined>(undefined);
  const off = hidden ?? new Set(runs.slice(AT_FIRST).map(({ id }) => id));
  const shown = runs.filter(({ id }) => !off.has(id));
  const toggle = (id: number) => {
    const next = new Set(off);
    if (!next.delete(id)) next.add(id);
    setHidden(next);
  };
  const title = titleOf(runs);
  useEffect(() => {
    document.title = title;
  }, [title]);
  const steered = runs.find(({ id }) => id === hello?.control);
  return html`<header class="top">
      <h1>onestep</h1>
      <p class=${`connection ${connection}`} role="status">${CONNECTIONS[connection]}</p>
    </header>
    <main>
      <div class="cards">${runs.map(
        (run) =>
          html`<${RunCard} key=${run.id} run=${run} shown=${!off.has(run.id)} several=${runs.length > 1} onToggle=${() => toggle(run.id)} />`,
      )}</div>
      ${steered && html`<${Steering} run=${steered} on=${connection === "live"} />`}
      <${Health} runs=${shown} />
      <${Samples} runs=${shown} />
      <${Curves} runs=${shown} />
      <${Results} runs=${shown} />
      <${Settings} runs=${shown} />
      <${Events} runs=${shown} />
    </main>
    ${hello && html`<footer><p>onestep ${hello.version}</p></footer>`}`;
}

function titleOf([first, ...others]: PageState["runs"]): string {
  if (!first) return "onestep";
  const { head } = first;
  const stage = head?.stages.find(({ name }) => name === head.stage);
  const far =
    head?.state === "running" && stage ? `${Math.floor((100 * stage.done) / Math.max(1, stage.steps))} % ` : "";
  return `${far}${first.name}${others.length > 0 ? ` and ${others.length} more` : ""} · onestep`;
}

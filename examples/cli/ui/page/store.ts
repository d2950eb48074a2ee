/** What the page knows: it follows the stream of the server, and tells who listens. */
import type { CurveView, RunParts } from "../../../../plugins/observers/view/runView.ts";
import type { Hello, Message } from "../liveView.ts";
import type { RunChanges } from "../runWatch.ts";

/** A curve that counts its changes, so that a chart is drawn again only when it is another. */
export interface PageCurve extends CurveView {
  readonly version: number;
}

/** A run as the page has it. */
export interface PageRun extends Partial<RunParts> {
  readonly id: number;
  readonly name: string;
  readonly path: string;
  readonly curves: ReadonlyMap<string, PageCurve>;
}

/** How the page and the server stand. */
export type Connection = "opening" | "live" | "lost" | "over" | "refused";

/** All that the page shows. */
export interface PageState {
  readonly connection: Connection;
  readonly hello?: Hello;
  readonly runs: readonly PageRun[];
}

/** Follows the stream; the listener hears of every change, at most once in a frame. */
export function follow(listen: (state: PageState) => void): void {
  let state: PageState = { connection: "opening", runs: [] };
  let waiting = false;
  let over = false;
  const change = (next: Partial<PageState>) => {
    state = { ...state, ...next };
    if (waiting) return;
    waiting = true;
    // Not a frame: a page in the background has none, and its title tells how far the run is.
    setTimeout(() => {
      waiting = false;
      listen(state);
    }, 16);
  };
  const source = new EventSource("events");
  source.onopen = () => {
    over = false;
    change({ connection: "live" });
  };
  source.onerror = () => {
    // Closed by the browser: the server answered, and refused.
    if (source.readyState === EventSource.CLOSED) change({ connection: "refused" });
    else change({ connection: over ? "over" : "lost" });
  };
  source.onmessage = ({ data }: MessageEvent<string>) => {
    const { hello, runs, bye } = JSON.parse(data) as Message;
    if (bye !== undefined) over = true;
    let known = state.runs;
    if (hello) known = hello.runs.map((run) => ({ ...run, curves: new Map() }));
    known = known.map((run) => (runs[run.id] ? changed(run, runs[run.id]) : run));
    change({ runs: known, ...(hello && { hello }), ...(over ? { connection: "over" as const } : {}) });
  };
}

function changed(run: PageRun, { curves = [], anew, ...parts }: RunChanges): PageRun {
  const known = new Map(anew ? [] : run.curves);
  for (const { from, stretches, ...curve } of curves) {
    const before = known.get(curve.key);
    const kept = before?.stretches.slice(0, from) ?? [];
    known.set(curve.key, { ...curve, stretches: [...kept, ...stretches], version: (before?.version ?? 0) + 1 });
  }
  return { ...run, ...parts, curves: known };
}

/** Sends a command; resolves with what came of it, in words. */
export async function send(command: object): Promise<string> {
  try {
    const response = await fetch("command", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(command),
    });
    return response.ok ? "" : (await response.text()).trim();
  } catch {
    return "the program does not answer: the run may have ended";
  }
}

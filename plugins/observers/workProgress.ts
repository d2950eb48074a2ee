import { lineDisplay, type ProgressDisplay, type TextStream } from "./progressDisplay.ts";

/** Milliseconds for which work says nothing: much of it is over by then. */
const QUIET = 700;

/** Shows how far work outside of the steps is, each `what` with a bar or lines of its own. */
export interface WorkProgress {
  /** `unit` is what is counted, where it is not that of the whole. */
  tell(what: string, done: number, total: number, unit?: string): void;
  close(): void;
}

/**
 * Counts work on a display, or on one that it opens on a stream: bars on a terminal, at most twenty lines elsewhere.
 * @param unit what is counted, such as samples
 */
export function workProgress(to: TextStream | (() => ProgressDisplay | undefined), unit: string): WorkProgress {
  let own: ProgressDisplay | undefined;
  let closed = false;
  const open = (stream: TextStream) => {
    if (!stream.isTTY) own = lineDisplay(stream);
    else
      void import("./progressBar.ts").then(({ barDisplay }) => {
        if (!closed) own = barDisplay(stream);
      });
  };
  if (typeof to !== "function") open(to);
  const display = typeof to === "function" ? to : () => own;
  let began: { readonly what: string; readonly at: number; readonly done: number } | undefined;
  let shown = 0;
  return {
    tell(what, done, total, counted = unit) {
      const now = performance.now();
      if (began?.what !== what) [began, shown] = [{ what, at: now, done }, 0];
      const since = now - began.at;
      const isLast = done === total && shown > 0;
      if (since < QUIET || (now - shown < 100 && !isLast)) return;
      shown = now;
      const rate = done > began.done ? ((done - began.done) * 1000) / since : Number.NaN;
      display()?.show({ stage: what, done, total, rate, losses: {}, unit: counted });
    },
    close() {
      closed = true;
      own?.close();
    },
  };
}

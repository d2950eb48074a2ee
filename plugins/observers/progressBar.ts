// The only file that imports cli-progress: bars that redraw in place on every terminal, Windows' included.
import { MultiBar, type SingleBar } from "cli-progress";
import { lossText, type ProgressDisplay, paceText, type StageProgress, type TextStream } from "./progressDisplay.ts";

/** Columns of a bar, where there is room. */
const [LEAST, MOST] = [5, 24];
/** Between two reads of the losses of a role, in ms. */
const READ_EVERY = 500;

/** Two lines per stage, a bar and its losses, redrawn in place, for terminals. */
export function barDisplay(stream: TextStream): ProgressDisplay {
  const lines = new Map<string, SingleBar>();
  const group = new MultiBar({
    stream: stream as NodeJS.WritableStream,
    format: (_options, _params, { text }: { text: string }) => text.slice(0, columnsOf(stream) - 1),
    fps: 5,
    // Ctrl-C ends the run, and the end of the run closes the display.
    gracefulExit: false,
    // The text is cut to fit; a program that is killed must leave a terminal that wraps lines.
    linewrap: true,
  });
  const line = (name: string, progress: StageProgress, text: string) => {
    const shown = lines.get(name);
    if (shown) shown.update(progress.done, { text });
    else lines.set(name, group.create(progress.total, progress.done, { text }));
  };
  const read = new Map<string, number>();
  return {
    wants({ stage, role }) {
      const key = `${stage} ${role}`;
      const now = performance.now();
      if (now - (read.get(key) ?? -Infinity) < READ_EVERY) return false;
      read.set(key, now);
      return true;
    },
    show(progress) {
      const width = columnsOf(stream) - 1;
      line(progress.stage, progress, barText(progress, width));
      if (Object.keys(progress.losses).length > 0)
        line(`${progress.stage} losses`, progress, `  ${lossText(progress, width - 2)}`);
    },
    note: (text) => (lines.size > 0 ? group.log(`${text}\n`) : void stream.write(`${text}\n`)),
    close: () => (lines.size > 0 ? group.stop() : undefined),
  };
}

// A terminal that does not tell its width reports 0 columns.
const columnsOf = ({ columns }: TextStream): number => columns || 80;

/** Stage, bar and pace. Where it is narrow, the bar gets shorter, then the speed goes, then the bar, then the stage's end. */
export function barText(progress: StageProgress, width: number): string {
  const { stage, done, total } = progress;
  const name = stage.padEnd("distillation".length);
  const room = width - name.length - 2;
  const pace = paceText(progress, room - LEAST);
  const length = Math.min(MOST, room - pace.length);
  if (length < LEAST) {
    const whole = `${name} ${pace}`;
    return whole.length <= width ? whole : `${stage.slice(0, Math.max(width - pace.length - 2, 0))}… ${pace}`;
  }
  const full = Math.round((length * done) / Math.max(1, total));
  return `${name} ${"█".repeat(full)}${"░".repeat(length - full)} ${pace}`;
}

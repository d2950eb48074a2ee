// The only file that imports cli-progress: bars that redraw in place on every terminal, Windows' included.
import { MultiBar, type SingleBar } from "cli-progress";
import { lossText, type ProgressDisplay, paceText, type StageProgress, type TextStream } from "./progressDisplay.ts";

const WIDTH = 24;

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
  return {
    show(progress) {
      line(progress.stage, progress, barText(progress));
      line(`${progress.stage} losses`, progress, `  ${lossText(progress)}`);
    },
    note: (text) => (lines.size > 0 ? group.log(`${text}\n`) : void stream.write(`${text}\n`)),
    close: () => (lines.size > 0 ? group.stop() : undefined),
  };
}

// A terminal that does not tell its width reports 0 columns.
const columnsOf = ({ columns }: TextStream): number => columns || 80;

function barText(progress: StageProgress): string {
  const { stage, done, total } = progress;
  const full = Math.round((WIDTH * done) / Math.max(1, total));
  const bar = "█".repeat(full) + "░".repeat(WIDTH - full);
  return `${stage.padEnd("distillation".length)} ${bar} ${paceText(progress)}`;
}

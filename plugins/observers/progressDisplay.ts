/** How far a stage of a run is. */
export interface StageProgress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  /** Steps per second since this process began the stage; NaN while unknown. */
  readonly rate: number;
  /** Losses last read, by name. */
  readonly losses: Readonly<Record<string, number>>;
}

/** Shows progress to a person. */
export interface ProgressDisplay {
  show(progress: StageProgress): void;
  /** A line of text that stays. */
  note(text: string): void;
  close(): void;
}

/** What progress is written to: `process.stderr`, or anything alike. */
export interface TextStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Steps, speed and time left. */
export function paceText({ done, total, rate }: StageProgress): string {
  const left = (total - done) / rate;
  const parts = [
    `${done}/${total}`,
    Number.isFinite(rate) ? `${rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2)} steps/s` : "",
    Number.isFinite(left) && done < total ? `${duration(left)} left` : "",
  ];
  return parts.filter(Boolean).join("  ");
}

/** Losses by name. */
export const lossText = ({ losses }: StageProgress): string =>
  Object.entries(losses)
    .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
    .join("  ");

/** Seconds as people say them: 42 s, 3 min 5 s, 1 h 20 min. */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Plain lines, at most about twenty per stage, for files and pipes. */
export function lineDisplay(stream: TextStream): ProgressDisplay {
  let next = { stage: "", done: 0 };
  return {
    show(progress) {
      const { stage, done, total } = progress;
      if (stage === next.stage && done < next.done && done < total) return;
      next = { stage, done: done + Math.ceil(total / 20) };
      const line = [stage, paceText(progress), lossText(progress)].filter(Boolean);
      stream.write(`${line.join("  ")}\n`);
    },
    note: (text) => void stream.write(`${text}\n`),
    close() {},
  };
}

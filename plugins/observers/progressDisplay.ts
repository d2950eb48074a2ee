/** How far a stage of a run is. */
export interface StageProgress {
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  /** Steps per second since this process began the stage; NaN while unknown. */
  readonly rate: number;
  /** Losses last read, by name. */
  readonly losses: Readonly<Record<string, number>>;
  /** What is counted; steps when absent. */
  readonly unit?: string;
}

/** An update of a role, before its losses are read. */
export interface RoleUpdate {
  readonly stage: string;
  readonly role: string;
  /** Of the stage, from 0. */
  readonly step: number;
  readonly total: number;
  /** Steps since the role's update before; Infinity for its first. */
  readonly gap: number;
}

/** Shows progress to a person. */
export interface ProgressDisplay {
  /** Whether it will show the losses of this update, which are read only then: a read makes the device wait. */
  wants(update: RoleUpdate): boolean;
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

/** Steps, speed and time left; where that is wider than `width`, the speed is left out. */
export function paceText({ done, total, rate, unit = "steps" }: StageProgress, width = Infinity): string {
  const left = (total - done) / rate;
  const speed = Number.isFinite(rate) ? `${rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2)} ${unit}/s` : "";
  const rest = Number.isFinite(left) && done < total ? `${duration(left)} left` : "";
  const join = (...parts: string[]) => parts.filter(Boolean).join("  ");
  const whole = join(`${done}/${total}`, speed, rest);
  return whole.length <= width ? whole : join(`${done}/${total}`, rest);
}

/** Losses by name, as many as fit into `width`; an ellipsis stands for the others. */
export function lossText({ losses }: StageProgress, width = Infinity): string {
  const parts = Object.entries(losses).map(([name, value]) => `${name} ${value.toPrecision(3)}`);
  const whole = parts.join("  ");
  if (whole.length <= width) return whole;
  while (parts.length > 1 && `${parts.join("  ")}  …`.length > width) parts.pop();
  return `${parts.join("  ")}  …`;
}

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
    // The last update of each role before the next line.
    wants: ({ stage, step, total, gap }) => stage !== next.stage || step + gap >= Math.min(next.done, total),
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

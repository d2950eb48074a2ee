import type { Plan, Step } from "./plan.ts";

/** A state to which a program gives a new value, and the last of its steps that writes it. */
export interface FinalState {
  readonly name: string;
  readonly step: number;
}

/** The states to which a plan gives new values, in the order in which they are done. */
export function finalStates({ steps, buffers, places }: Plan): readonly FinalState[] {
  const last = new Map<number, number>();
  const written = (step: Step): readonly number[] => {
    if (step.kind === "copy") return [step.to.buffer];
    const nodes = step.kind === "kernel" ? [step.node] : step.outputs;
    return nodes.map((node) => places.get(node)!.buffer);
  };
  steps.forEach((step, at) => {
    for (const buffer of written(step)) if (buffers[buffer].kind === "state") last.set(buffer, at);
  });
  return [...last].sort(([, a], [, b]) => a - b).map(([buffer, step]) => ({ name: buffers[buffer].name, step }));
}

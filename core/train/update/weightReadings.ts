import { type Program, program } from "../../graph/mod.ts";
import type { Executable } from "../../interfaces/backend.ts";
import { AVERAGE_DISTANCE, WEIGHT_NORM } from "../../interfaces/readings.ts";
import { arenaName, isFrozen } from "../../nn/parameters.ts";
import { div, state, sub } from "../../ops/mod.ts";
import { gradientNorm } from "../../optim/mod.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Scalars } from "../loop/events.ts";
import type { Player } from "./player.ts";

/** Readings of a role's weights, as a program of its own: no update takes longer for them, only who reads them pays. */
export function weightProgram(player: Player<unknown>): Program {
  const learning = player.layout.arenas.flatMap((size, arena) =>
    isFrozen(player.layout, arena) ? [] : [{ size, arena }],
  );
  const flat = (copy: "weights" | "served") =>
    learning.map(({ size, arena }) => state(arenaName(player.owner(copy), arena), [size]));
  const weights = flat("weights");
  const norm = gradientNorm(weights);
  const outputs: Record<string, Tensor> = { [WEIGHT_NORM]: norm };
  if (player.average)
    outputs[AVERAGE_DISTANCE] = div(gradientNorm(flat("served").map((average, i) => sub(weights[i], average))), norm);
  return program({ name: `${player.name} weights`, outputs });
}

/** The readings, computed when the first of them is read: of the weights as they are then. */
export function weightScalars(run: Executable): Scalars {
  let done: Promise<void> | undefined;
  const read = async (name: string) => {
    await (done ??= run.run());
    return (await run.read(name))[0];
  };
  return Object.fromEntries([...run.program.outputs.keys()].map((name) => [name, { read: () => read(name) }]));
}

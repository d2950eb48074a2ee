import type { Dataset } from "../../interfaces/dataset.ts";
import type { Loss } from "../../interfaces/loss.ts";
import type { Method, Stage } from "../../interfaces/method.ts";
import type { GivenDraws } from "../batch/givenDraws.ts";
import { type Inputs, REAL } from "../batch/turnImages.ts";
import { turnInputs } from "../batch/turnInputs.ts";
import type { TurnAt } from "../loop/schedule.ts";
import { batchStream } from "./streams.ts";
import { activeLosses } from "./turnContext.ts";
import type { TurnProgram } from "./turnProgram.ts";

/** Where the updates of a run have their batches and draws from. */
export interface InputsRequest {
  readonly method: Method;
  readonly dataset: Dataset;
  /** All losses of the run. */
  readonly losses: readonly Loss[];
  readonly seed: number;
  /** Parts in which a batch is gathered. */
  readonly parts: number;
  readonly draws: GivenDraws | undefined;
}

/** Gives the batch and the draws of any update: part after part, of what its program reads. */
export type UpdateInputs = (
  stage: Pick<Stage, "batch">,
  at: TurnAt,
  reads: TurnProgram["reads"],
) => (part: number) => Promise<Inputs>;

/**
 * The inputs of a run's updates, from its seed or from given draws. The conditions of generated images come from the maker's
 * batches in every turn, so that all turns know what the images of a step were to show, and so that a maker that starts from real
 * samples is given theirs.
 */
export const updateInputs =
  ({ method, dataset, losses, seed, parts, draws }: InputsRequest): UpdateInputs =>
  ({ batch }, { turn, step }, reads) => {
    const given = draws?.inputs(turn, step);
    const streams = [...reads]
      .filter((who) => !(who === "real" && given?.[REAL]))
      .map((who) => [who, batchStream(method, who === "real" ? turn.role : method.maker!)] as const);
    const active = activeLosses(losses, turn.role);
    return turnInputs(dataset, {
      step,
      seed,
      batch,
      parts,
      reads: new Map(streams),
      losses: new Map(active.map((loss) => [losses.indexOf(loss), loss])),
      given,
    });
  };

import { type ListToken, listToken } from "../di/token.ts";

/** A running average of a role's weights, used instead of them when sampling. */
export interface Average {
  readonly role: string;
  /** Tells the averages of a role apart; one without a label is the one that samples are drawn with. */
  readonly label?: string;
  /** Share of the old average kept at update number `update` (0, 1, …) with `batch` images each; 0 … 1. */
  keep(update: number, batch: number): number;
}

/** Every average of the run, of any role. */
export const AVERAGES: ListToken<Average> = listToken<Average>("averages");

import { number } from "../../../core/plugin/mod.ts";

/** The option `sigmaData` of data whose samples deviate about so much. */
export const sigmaDataOption = (deviation: number) =>
  number({
    default: deviation,
    above: 0,
    about: "standard deviation of the data as the preconditioning takes it",
  });

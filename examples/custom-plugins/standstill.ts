import { definePlugin, number } from "onestep";

/** Samples of the same noise that hardly change from reading to reading: the rate is too low, or nothing is learned. */
export default definePlugin({
  name: "standstill",
  kind: "monitor",
  about: "Samples hardly change while training goes on",
  options: {
    least: number({ default: 1e-3, min: 0, about: "change between two readings, in deviations of the data" }),
    readings: number({ default: 5, min: 1, integer: true, about: "how many in a row" }),
  },
  create: ({ least, readings }) => ({
    name: "standstill",
    begin() {
      let still = 0;
      return ({ values }) => {
        still = values["samples/moved"]! < least ? still + 1 : 0;
        if (still < readings) return undefined;
        const message = `samples moved by less than ${least} deviations in ${still} readings`;
        return { message, advice: "raise optimizers.<role>.lr of the role that makes them" };
      };
    },
  }),
});

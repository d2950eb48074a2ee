export * from "./adam.ts";
export * from "./clip.ts";
export * from "./curriculum.ts";
export * from "./ema.ts";
export * from "./learningRate.ts";
export * from "./lossScale.ts";
export * from "./radam.ts";
export * from "./sgd.ts";

export * from "./denoiser.ts";
export * from "./edm.ts";
export * from "./mixture.ts";
export * from "./noiseSource.ts";
export * from "./renoise.ts";
export * from "./sigmas.ts";

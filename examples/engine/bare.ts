/**
 * The entry `onestep/engine/bare`: the same door for bundles, which hold the plugins that they name and no others. A bundler keeps
 * whatever an entry can load, so it must be another than `onestep/engine`.
 */
export { createBareEngine as createEngine } from "./createBareEngine.ts";
export * from "./public.ts";

/** The entry `onestep/engine`: one door to all of it for programs, the same in Node, Deno, browsers and workers. */
export { createEngine } from "./createEngine.ts";
export * from "./public.ts";

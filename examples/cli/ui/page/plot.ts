/** The door of Plot for the page: only what its charts are made of is bundled. */
export { areaY, dot, gridY, line, plot } from "@observablehq/plot";

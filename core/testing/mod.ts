/** onestep/testing: what the tests of a plugin lean on. */
export { checkPlugin } from "../plugin/testkit.ts";

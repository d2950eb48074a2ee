/** Longest time without a turn of the event loop, in ms: signals, timers and pages wait for one. */
const BREATH = 100;

let last = performance.now();

/** Lets the event loop turn if it has not for a while. Called between pieces of work that themselves do not wait. */
export async function breathe(): Promise<void> {
  if (performance.now() - last < BREATH) return;
  await new Promise((resolve) => setTimeout(resolve, 0));
  last = performance.now();
}

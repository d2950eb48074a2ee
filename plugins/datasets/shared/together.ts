/** Files on their way at a time: more gain nothing, and systems allow a program only so many. */
const TOGETHER = 8;

/** Does `work` for 0 to `count` − 1, a few of them at a time. */
export async function together(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(TOGETHER, count) }, worker));
}

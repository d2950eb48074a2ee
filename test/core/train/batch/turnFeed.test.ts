import { suite } from "uvu";
import * as assert from "uvu/assert";
import { TurnFeed } from "../../../../core/train/batch/turnFeed.ts";

const test = suite("core/train/turnFeed");

/** A feed of the parts' numbers, and which of them it has asked for. */
function numbered() {
  const asked: number[] = [];
  const feed = new TurnFeed({ turn: { role: "critic" }, step: 4, place: 0 }, async (part) => {
    asked.push(part);
    if (part === 9) throw new Error("part 9 is broken");
    return { part: Int32Array.of(part) };
  });
  return { feed, asked };
}

test("a part that was fetched is taken once, one that was not is fetched then", async () => {
  const { feed, asked } = numbered();
  feed.fetch(1);
  feed.fetch(1);
  assert.equal(asked, [1]);
  assert.equal(await feed.take(1), { part: Int32Array.of(1) });
  assert.equal(asked, [1]);
  await feed.take(1);
  await feed.take(0);
  assert.equal(asked, [1, 1, 0]);
});

test("what goes wrong is told to whoever takes the part, and to nobody otherwise", async () => {
  const { feed } = numbered();
  feed.fetch(9);
  // An unhandled rejection would end the process here.
  await new Promise((resolve) => setTimeout(resolve, 5));
  const error = await feed.take(9).catch((reason: Error) => reason);
  assert.is((error as Error).message, "part 9 is broken");
});

test.run();

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { warmUpLine } from "../../../examples/cli/warmUpLine.ts";

const test = suite("examples/cli/warmUpLine");

function terminal(isTTY: boolean) {
  const written: string[] = [];
  return { isTTY, written, write: (text: string) => written.push(text) };
}

test("one line on a terminal, replaced as it goes and gone at the end", () => {
  const stream = terminal(true);
  const tell = warmUpLine(stream);
  for (const done of [0, 1, 2]) tell({ program: "p", what: "kernels", done, total: 2 });
  tell({ program: "p", what: "variants", done: 3, total: 40 });
  assert.equal(stream.written, [
    "\r\x1b[Kcompiling kernels 0/2\r",
    "\r\x1b[Kcompiling kernels 1/2\r",
    "\r\x1b[K",
    "\r\x1b[Kmeasuring kernels 3/40\r",
  ]);
});

test("nothing in a pipe or a file", () => {
  const stream = terminal(false);
  warmUpLine(stream)({ program: "p", what: "kernels", done: 1, total: 2 });
  assert.equal(stream.written, []);
});

test.run();

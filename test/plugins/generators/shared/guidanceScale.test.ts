import { suite } from "uvu";
import * as assert from "uvu/assert";
import { parseOptions } from "../../../../core/plugin/mod.ts";
import { guidanceOf, guidanceOptions } from "../../../../plugins/generators/shared/guidanceScale.ts";

const test = suite("plugins/generators/shared/guidanceScale");

const of = (given: object, rank = 0) =>
  guidanceOf("mine", { ...parseOptions("mine", guidanceOptions, given), lora: { rank, alpha: 1, targets: [] } });

test("bounds of 1 are off; others are what images draw", () => {
  assert.equal(of({}), { guidanceScale: undefined });
  assert.equal(of({ guidanceScale: 1 }), { guidanceScale: 1 });
  assert.equal(of({ guidanceScale: 2, guidanceMax: 4 }), {
    guidanceScale: 2,
    draws: { guidance: { least: 1, most: 4 } },
  });
  assert.equal(of({ guidanceMin: 6, guidanceMax: 6 }).draws, { guidance: { least: 6, most: 6 } });
});

test("refused: bounds the wrong way round, samples outside of them, adapters that should learn scales", () => {
  assert.throws(
    () => of({ guidanceMin: 5, guidanceMax: 4 }),
    /^Cannot configure mine: guidanceMin is 5 and guidanceMax 4/,
  );
  assert.throws(() => of({ guidanceScale: 5, guidanceMax: 4 }), /guidanceScale is 5, should be one of .*, 1 to 4/);
  assert.throws(() => of({ guidanceScale: 2 }), /guidanceScale is 2, should be one of the scales that it learns, 1$/);
  assert.throws(() => of({ guidanceScale: 2, guidanceMax: 4 }, 8), /lora\.rank is 8 .* adapters can't learn/);
  assert.equal(of({ guidanceMax: 4 }, 8).guidanceScale, undefined);
});

test.run();

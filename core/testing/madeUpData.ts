import type { Condition, HostArray } from "../interfaces/mod.ts";
import { type ConditionEntry, type DataShape, type Dataset, emptyName } from "../interfaces/mod.ts";
import { hostRandom } from "../random/hostRandom.ts";
import { joined } from "../tensor/mod.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Feed } from "./feed.ts";

const SIZE = 256;

/** Data of a shape that mean nothing: 256 samples of its deviation with every entry that it describes, and a test set. */
export function madeUpData(shape: DataShape): Dataset {
  const entries = Object.entries(shape.condition);
  const stored = entries.filter(([, { empty }]) => empty === "stored");
  const choose = (count: number, random: () => number) =>
    Int32Array.from({ length: count }, () => Math.floor(SIZE * random()));
  /** Rows from SIZE on are those of the test set. */
  const take = (rows: Int32Array) => {
    const drawn = (what: number, values: (random: () => number) => HostArray) =>
      joined(Array.from(rows, (row) => values(hostRandom(row, what, 0))));
    const width = Math.sqrt(3) * shape.sigmaData;
    return {
      x: drawn(0, (random) => spread(sizeOf(shape.sample), width, random)) as Float32Array,
      condition: Object.fromEntries(
        entries.map(([name, entry], i) => [name, drawn(i + 1, (random) => entryOf(entry, 1, random))]),
      ),
    };
  };
  return {
    name: "made-up",
    shape,
    size: SIZE,
    choose,
    batch(which, random) {
      const rows = typeof which === "number" ? choose(which, random) : Int32Array.from(which);
      return take(rows);
    },
    test: () => ({ ...take(Int32Array.from({ length: 32 }, (_, i) => SIZE + i)), count: 32 }),
    empty: Object.fromEntries(stored.map(([name, entry]) => [name, entryOf(entry, 1, hostRandom(1, 0, 1))])),
  };
}

/** Numbers in [−width, width). */
export const spread = (count: number, width: number, random: () => number): Float32Array =>
  Float32Array.from({ length: count }, () => width * (2 * random() - 1));

function entryOf({ shape, dtype, classes = 2 }: ConditionEntry, count: number, random: () => number): HostArray {
  const length = count * sizeOf(shape);
  if (dtype === "f32") return spread(length, 1, random);
  return Int32Array.from({ length }, () => Math.floor(random() * classes));
}

/** The condition of `count` such samples as inputs with values; stored ones that stand for none included. */
export function feedCondition(feed: Feed, shape: DataShape, count: number, seed = 0): Condition {
  const random = hostRandom(seed, 0, 1);
  const tensors = Object.entries(shape.condition).flatMap(([name, entry]) =>
    (entry.empty === "stored" ? [name, emptyName(name)] : [name]).map((each) => {
      const values = entryOf(entry, count, random);
      return [each, feed.tensor(each, [count, ...entry.shape], values, entry.dtype)] as const;
    }),
  );
  return Object.fromEntries(tensors);
}

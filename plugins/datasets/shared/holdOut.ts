import { number } from "../../../core/plugin/mod.ts";

/** The option `holdOut` of pictures. */
export const holdOutOption = number({
  default: 0,
  min: 0,
  max: 0.5,
  about: "share of each class that is not trained on, for metrics to compare with",
});

/** The most pictures that are held out, and the most numbers that they may have together: a metric looks at them at once. */
const HELD = { pictures: 2000, numbers: 2 ** 26 };

/**
 * Pictures to train on, and pictures to judge by: of each class every k-th, in the middle of its k.
 * @param share 1 / k; larger k where so many would be too many for a metric
 * @param shape of a sample
 */
export function divided<T extends { readonly label: number }>(
  pictures: readonly T[],
  share: number,
  shape: readonly number[],
): [train: readonly T[], held: readonly T[]] {
  if (share === 0) return [pictures, []];
  const most = Math.min(HELD.pictures, Math.floor(HELD.numbers / shape.reduce((product, size) => product * size, 1)));
  const every = Math.round(1 / Math.min(share, most / pictures.length));
  const [train, held]: [T[], T[]] = [[], []];
  const seen = new Map<number, number>();
  for (const picture of pictures) {
    const place = seen.get(picture.label) ?? 0;
    seen.set(picture.label, place + 1);
    (place % every === every >> 1 ? held : train).push(picture);
  }
  return [train, held];
}

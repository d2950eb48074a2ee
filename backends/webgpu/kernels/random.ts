import type { Lowering } from "../kernel.ts";
import { perElement } from "./perElement.ts";

/** See wgsl/random.wgsl. */
export const random: Lowering = {
  op: "random",
  variants: [
    perElement(
      "random",
      ({ attrs }) => ({
        STREAM: (attrs.stream as number) >>> 0,
        NORMAL: attrs.distribution === "normal" ? 1 : 0,
      }),
      (count) => Math.ceil(count / 4),
    ),
  ],
};

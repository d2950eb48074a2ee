import type { Tensor } from "../tensor/tensor.ts";
import { type Composed, defineComposed } from "./composed.ts";
import { shapeFailure } from "./op.ts";
import { reducedAxes } from "./reduction.ts";
import { reshape } from "./reshape.ts";
import { takeRows } from "./takeRows.ts";
import { transpose } from "./transpose.ts";

/** y[…, m, …] = x[…, index[m], …] along `axis`; index i32 [M]. */
export const indexSelect: Composed<[x: Tensor, index: Tensor, options: { readonly axis: number }]> = defineComposed({
  name: "indexSelect",
  parameters: ["x: Tensor", "index: Tensor", { axis: "number" }],
  build: (x, index, { axis }) => {
    const [at] = reducedAxes("indexSelect", x.shape, [axis]);
    if (index.shape.length !== 1)
      throw shapeFailure(
        "indexSelect",
        { x: x.shape, index: index.shape },
        `index has ${index.shape.length} axes, expected 1`,
      );
    const order = [at, ...[...x.shape.keys()].filter((i) => i !== at)];
    const front = at === 0 ? x : transpose(x, order);
    const rest = front.shape.slice(1);
    const taken = takeRows(reshape(front, [x.shape[at], rest.reduce((a, b) => a * b, 1)]), index);
    const y = reshape(taken, [index.shape[0], ...rest]);
    const inverse = order.map((_, i) => order.indexOf(i));
    return at === 0 ? y : transpose(y, inverse);
  },
});

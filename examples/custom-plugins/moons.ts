import { classLabel, definePlugin, failure, number } from "onestep";

/** Points on two half circles that reach into each other, a class each, moved by up to `noise` either way. Samples [2]. */
export default definePlugin({
  name: "moons",
  kind: "dataset",
  about: "Points in the plane on two half circles, a class each",
  options: { noise: number({ default: 0.1, min: 0, about: "how far points lie off the curve, at most" }) },
  create: ({ noise }) => ({
    name: "moons",
    shape: { sample: [2], condition: classLabel(2), sigmaData: 0.7 },
    size: Number.POSITIVE_INFINITY,
    batch(count, random) {
      if (typeof count !== "number") throw failure("E_DATA", "Cannot take moons by index: they are drawn, not stored");
      const [x, label] = [new Float32Array(2 * count), new Int32Array(count)];
      for (let i = 0; i < count; i++) {
        label[i] = Math.floor(2 * random());
        const [side, angle] = [label[i] ? -1 : 1, Math.PI * random()];
        x[2 * i] = side * (Math.cos(angle) - 0.5) + noise * (2 * random() - 1);
        x[2 * i + 1] = side * (Math.sin(angle) - 0.25) + noise * (2 * random() - 1);
      }
      return { x, condition: { label } };
    },
  }),
});

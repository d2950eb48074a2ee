import { DATASET, definePlugin, hostRandom, number } from "onestep";

const squares = (x: Float32Array) => x.reduce((sum, each) => sum + each ** 2, 0);

/** power: mean x² of the samples' elements over that of `real` samples of the data; 1 is right, less is too faint. */
export default definePlugin({
  name: "power",
  kind: "metric",
  about: "Mean square of the samples beside that of the data",
  options: { real: number({ default: 4096, min: 1, integer: true, about: "real samples compared with" }) },
  create(options, container) {
    const dataset = container.get(DATASET);
    const begin = () => {
      let [count, sum] = [0, 0];
      const take = ({ x }: { readonly x: Float32Array }) => {
        [count, sum] = [count + x.length, sum + squares(x)];
      };
      const result = async () => {
        const real = await dataset.batch(options.real, hostRandom(0, 0, 100));
        return { power: sum / count / (squares(real.x) / real.x.length) };
      };
      return { take, result };
    };
    return { name: "power", begin };
  },
});

import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readStatistics } from "../../../plugins/metrics/fid.ts";
import { memoryFiles } from "../../helpers/memoryFiles.ts";
import { npyFile } from "../../helpers/npyFile.ts";
import { zipFile } from "../../helpers/zipFile.ts";

const test = suite("plugins/metrics/fid");

const folder = (mu: Float64Array, sigma: Float64Array) => {
  const D = mu.length;
  const bytes = zipFile({ "mu.npy": npyFile("<f8", [D], mu), "sigma.npy": npyFile("<f8", [D, D], sigma) });
  return { files: memoryFiles({ "x.npz": bytes }), path: "." };
};
const identity = (D: number) => Float64Array.from({ length: D * D }, (_, i) => (i % (D + 1) === 0 ? 1 : 0));

test("published statistics are read as they are", async () => {
  const { mean, covariance } = await readStatistics(folder(Float64Array.of(1, -2), identity(2)), "x.npz", 2);
  assert.equal([...mean, ...covariance], [1, -2, 1, 0, 0, 1]);
});

test("statistics of another size, another extractor, or that are no moments are refused", async () => {
  const refused = async (mu: Float64Array, sigma: Float64Array, D: number) =>
    readStatistics(folder(mu, sigma), "x.npz", D).then(
      () => "nothing",
      ({ message }) => message as string,
    );
  assert.match(await refused(new Float64Array(3), identity(3), 2), /mu is \[3\], should be \[2\]/);
  const mu = new Float64Array(2048);
  mu[7] = -0.5;
  assert.match(await refused(mu, identity(2048), 2048), /mu\[7\] is -0.500, .* is of another extractor/);
  const lopsided = Float64Array.of(1, 0.5, 0.1, 1);
  assert.match(
    await refused(new Float64Array(2), lopsided, 2),
    /sigma is no covariance: \[1, 0\] is 0.1, \[0, 1\] 0.5/,
  );
  assert.match(await refused(new Float64Array(2), Float64Array.of(-1, 0, 0, 1), 2), /sigma is no covariance/);
});

test.run();

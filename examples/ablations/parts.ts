/** What rows of the paper's tables leave out or add, laid over the config of DMD2. */

/** A critic that only learns the generator's distribution. */
export const withoutGan = {
  critic: { head: false },
  losses: { "gan-generator": false, "gan-discriminator": false },
};

/** The critic is trained as ever; the generator hears the discriminator on it alone. The official code's `gan_alone`. */
export const withoutDistributionMatching = { losses: { "distribution-matching": false } };

/** DMD's loss, with its weight. The distance is the mean square: LPIPS would need weights of VGG-16, and larger images. */
export const withRegression = { losses: { regression: { weight: 0.25, distance: "l2" } } };

/** As many updates of the generator as of the critic: without the two time scales. */
export const oneToOne = { method: { ttur: { critic: 1, generator: 1 } } };

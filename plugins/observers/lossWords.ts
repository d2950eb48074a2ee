/** What is good, of losses that say something by their value; of others only the course counts. */
export const LOSS_WORDS: Readonly<Record<string, string>> = {
  "edm-denoising": "falls, then stays",
  "fake-score": "stays low: the critic keeps up",
  "distribution-matching": "no value is good, it should not run away",
  "gan-discriminator": "1.39 cannot tell, near 0 it wins",
  "gan-generator": "0.69 is even, growing it loses",
  "consistency-distillation": "falls, then stays",
  progressive: "falls in every round",
  regression: "falls, then stays",
};

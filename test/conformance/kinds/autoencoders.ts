import { grad } from "../../../core/graph/mod.ts";
import { add, exp, mul, sum } from "../../../core/ops/mod.ts";
import type { Tensor } from "../../../core/tensor/mod.ts";
import { decodeKl, encodeKl } from "../../../plugins/autoencoders/shared/kl.ts";
import { decodeTiny, encodeTiny, tinyLatentsAsPicture } from "../../../plugins/autoencoders/shared/tiny.ts";
import { evaluateOn, Feed } from "../feed.ts";
import type { Job, Kind } from "../kind.ts";
import { only } from "../settings.ts";

/** Runs `vae_kl` and `vae_eps`: both halves of `AutoencoderKL`, a sample of its latents, and the gradients of its inputs. */
export const autoencoderKlKind: Kind = {
  name: "autoencoder-kl",
  matches: ({ file, config }) => file.startsWith("vae_") && "norm_num_groups" in config,
  run: runKl,
};

async function runKl({ reference, backend, check }: Job): Promise<void> {
  const { config } = reference;
  const channels: number[] = [...config.block_out_channels];
  for (const [name, kind] of [
    ["down_block_types", "DownEncoderBlock2D"],
    ["up_block_types", "UpDecoderBlock2D"],
  ])
    only(
      config,
      name,
      channels.map(() => kind),
    );
  const options = {
    channels,
    layers: config.layers_per_block as number,
    latentChannels: config.latent_channels as number,
    pictureChannels: config.out_channels as number,
    groups: config.norm_num_groups as number,
  };
  only(config, "in_channels", reference.shape("in.image")[1]);
  const feed = new Feed();
  const { scope } = feed.weights("w.", (name) => reference.f32(`w.${name}`));
  const given = (name: string) => feed.tensor(name, reference.shape(name), reference.f32(name));
  const image = given("in.image");
  const { mean, logVariance } = encodeKl(scope, image, options);
  const outputs: Record<string, Tensor> = { "out.mean": mean };
  if (reference.has("out.logvar")) outputs["out.logvar"] = logVariance;
  if (reference.has("out.z_sample")) {
    const sample = add(mean, mul(exp(mul(logVariance, 0.5)), given("rand.noise")));
    outputs["out.z_sample"] = sample;
    if (reference.has("grad.in.image")) outputs["grad.in.image"] = grad(sum(mul(sample, given("gout.z"))), [image])[0];
  }
  const latents = given(reference.has("in.latents") ? "in.latents" : "in.z");
  const scale = reference.has("in.latents") ? (config.scaling_factor as number) : 1;
  const decoded = decodeKl(scope, mul(latents, 1 / scale), options);
  outputs["out.decoded"] = decoded;
  if (reference.has("grad.in.latents"))
    outputs["grad.in.latents"] = grad(sum(mul(decoded, given("gout.image"))), [latents])[0];
  const results = await evaluateOn(backend, outputs, feed);
  for (const [name, values] of Object.entries(results)) check(values, name);
  if (reference.has("f64.out.decoded")) check(results["out.decoded"], "f64.out.decoded");
}

/** Runs `vae_tiny`: both halves of `AutoencoderTiny`, and the gradient through the decoder. */
export const autoencoderTinyKind: Kind = {
  name: "autoencoder-tiny",
  matches: ({ file, config }) => file.startsWith("vae_") && "num_decoder_blocks" in config,
  run: runTiny,
};

async function runTiny({ reference, backend, check }: Job): Promise<void> {
  const { config } = reference;
  for (const [name, value] of Object.entries({
    upsampling_scaling_factor: 2,
    latent_magnitude: 3,
    latent_shift: 0.5,
    act_fn: "relu",
    in_channels: reference.shape("in.image")[1],
  }))
    only<unknown>(config, name, value);
  const feed = new Feed();
  const { scope } = feed.weights("w.", (name) => reference.f32(`w.${name}`));
  const given = (name: string) => feed.tensor(name, reference.shape(name), reference.f32(name));
  const half = (which: "encoder" | "decoder") => ({
    channels: [...config[`${which}_block_out_channels`]] as number[],
    blocks: [...config[`num_${which}_blocks`]] as number[],
  });
  const latents = encodeTiny(scope, given("in.image"), config.latent_channels, half("encoder"));
  const results = await evaluateOn(
    backend,
    { "out.latents": latents, "out.scaled_latents": tinyLatentsAsPicture(latents) },
    feed,
  );
  for (const [name, values] of Object.entries(results)) check(values, name);

  // The decoder is given the reference's latents, so that its errors are its own.
  const second = new Feed();
  const weights = second.weights("w.", (name) => reference.f32(`w.${name}`));
  const z = second.tensor("z", reference.shape("out.latents"), reference.f32("out.latents"));
  const decoded = decodeTiny(weights.scope, z, config.out_channels, half("decoder"));
  const loss = sum(mul(decoded, second.tensor("gout", reference.shape("gout"), reference.f32("gout"))));
  const back = await evaluateOn(backend, { "out.decoded": decoded, "grad.in.latents": grad(loss, [z])[0] }, second);
  for (const [name, values] of Object.entries(back)) check(values, name);
}

/** Whether a tensor, by its name, is part of a LoRA. */
export const isLoraName = (name: string): boolean =>
  /(^|[._])(lora_(up|down|A|B|mid)|lora\.(up|down)|hada_w1_a|lokr_w1|dora_scale|lora_magnitude_vector)([._]|$)/.test(
    name,
  );

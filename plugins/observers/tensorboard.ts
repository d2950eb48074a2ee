import { definePlugin } from "../../core/plugin/mod.ts";
import { outputOf } from "./shared/outputOf.ts";
import { scalarFile } from "./shared/scalarFile.ts";
import { tfEvents } from "./shared/tfEvents.ts";

/**
 * Numbers of a run for TensorBoard: `tensorboard --logdir runs` shows every run below the folder. Tags are a role and the name of a
 * loss, such as `generator/distribution-matching`, and `metrics/generator/…`; steps count over all stages.
 */
export const tensorboard = definePlugin({
  name: "tensorboard",
  kind: "observer",
  about: "Writes losses, diagnosis and metrics for TensorBoard, an event file in the folder of the run",
  options: {},
  create: (_, container) =>
    scalarFile("tensorboard", outputOf("tensorboard", container), "events.out.tfevents.onestep", tfEvents),
});

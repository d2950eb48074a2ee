import { Container } from "../../core/di/mod.ts";
import { grad, type Program, program } from "../../core/graph/mod.ts";
import { type Backend, classLabel, DATA_SHAPE, NETWORK } from "../../core/interfaces/mod.ts";
import { arenaName, BoundParameters, initialise, layoutOf } from "../../core/nn/mod.ts";
import { add, input, mean, mul, pack, square, state, sub, sum } from "../../core/ops/mod.ts";
import { adm } from "../../plugins/networks/adm.ts";
import { Draw } from "./ops.ts";

/** What a step is made of besides the network's options. */
export interface AdmStepSettings {
  readonly recompute?: "none" | "blocks";
  readonly batch?: number;
  /** Pixels a side. */
  readonly size?: number;
}

/** A training step of an ADM U-Net on images of three channels and ten classes: mean square, gradient, momentum. */
export interface AdmStep {
  readonly program: Program;
  /** Takes one step on a backend from fixed weights; resolves with weights and momentum. `after` sees what is still there. */
  run(backend: Backend, after?: () => void): Promise<Float32Array[]>;
}

export function admStep(options: object, { recompute = "none", batch = 32, size = 16 }: AdmStepSettings = {}): AdmStep {
  const shape = [batch, 3, size, size];
  const container = new Container();
  const data = { sample: shape.slice(1), condition: classLabel(10), sigmaData: 0.5 };
  container.value(DATA_SHAPE, data, "the test");
  adm.configure(options).install(container);
  const network = container.get(NETWORK);
  const given = {
    x: input("x", shape),
    y: input("y", shape),
    level: input("level", [batch]),
    label: input("label", [batch], "i32"),
  };
  const layout = layoutOf((scope) => {
    network.apply(scope, given.x, given.level, { label: given.label });
  });
  const parameters = new BoundParameters("weights", layout);
  const y = network.apply(parameters.scope, given.x, given.level, { label: given.label });
  const loss = add(mean(square(sub(y, given.y))), mul(sum(square(y)), 1e-3));
  const gradients = grad(loss, parameters.tensors, undefined, { recompute });
  const [elements] = layout.arenas;
  const offsets = layout.entries.map(({ offset }) => offset);
  const gradient = pack(gradients, offsets, elements);
  const momentum = state(arenaName("momentum", 0), [elements]);
  const next = add(mul(momentum, 0.9), gradient);
  const [weights] = parameters.arenas;
  return {
    program: program({
      name: `adm step, recompute ${recompute}`,
      outputs: { loss },
      updates: [
        [weights, sub(weights, mul(next, 1e-2))],
        [momentum, next],
      ],
    }),
    async run(backend, after = () => {}) {
      const memory = backend.createMemory();
      for (const owner of ["weights", "momentum"]) memory.allocate(arenaName(owner, 0), elements);
      // Layers that start at zero would hide what lies behind them.
      const draw = new Draw(2);
      const noise = Float32Array.from(draw.normal([elements]).data);
      const [start] = initialise(layout, 1);
      memory.write(
        arenaName("weights", 0),
        start.map((value, i) => value + 0.05 * noise[i]),
      );
      const executable = await backend.compile(this.program, memory);
      await executable.run({
        x: Float32Array.from(draw.normal(shape).data),
        y: Float32Array.from(draw.normal(shape).data),
        level: Float32Array.from(draw.normal([batch]).data),
        label: Int32Array.from({ length: batch }, (_, i) => i % 10),
      });
      after();
      const names = ["weights", "momentum"].map((owner) => arenaName(owner, 0));
      const results = await Promise.all(names.map((name) => memory.read(name)));
      executable.dispose();
      memory.dispose();
      return results as Float32Array[];
    },
  };
}

import { elementBytes, type Storage } from "../tensor/storage.ts";

/** WebGPU bindings start at multiples of so many bytes. */
const BINDING = 256;

/** Elements between places at which a binding can start. */
export const alignmentOf = (storage: Storage): number => BINDING / elementBytes(storage);

/** The same for f32, in which parameters, gradients and states lie. */
export const ALIGNMENT: number = alignmentOf("f32");

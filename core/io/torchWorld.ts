/** The names that PyTorch's files refer to: what each makes, as a value of ours. */
import { damaged } from "./byteSource.ts";
import { numpyNames } from "./numpyPickle.ts";
import { keyText, type PickleGlobal, type PickleWorld } from "./pickle.ts";
import { elementBytes, type StoredDtype } from "./safetensorsHeader.ts";
import { storageTypes, type TorchStorage, TorchTensor } from "./torchStorage.ts";

/** Gives the storage of a key. */
export type StorageOf = (key: string, dtype: StoredDtype, elements: number) => TorchStorage;

/**
 * The names that files of weights refer to, and no others.
 * @param nested what a file of `torch.save` holds that is part of the pickle
 */
export function torchWorld(from: string, storageOf: StorageOf, nested: (bytes: Uint8Array) => unknown): PickleWorld {
  const refuse = (why: string) => damaged({ name: from }, why);
  const tensor = (storage: unknown, offset: unknown, shape: unknown, strides: unknown): TorchTensor => {
    if (!isStorage(storage) || !Array.isArray(shape) || !Array.isArray(strides))
      throw refuse("a tensor has no storage, shape or strides");
    return new TorchTensor(storage, offset as number, shape, strides);
  };
  /** The bytes of an untyped storage as numbers of a type. */
  const viewOf = (storage: unknown, name: unknown): TorchStorage => {
    const dtype = VIEWED[keyText(name) ?? ""];
    if (!isStorage(storage) || storage.dtype !== "U8" || !dtype || storage.elements % elementBytes(dtype) !== 0)
      throw refuse(
        `a tensor of bytes has the type ${keyText(name)}, should have one of ${Object.keys(VIEWED).join(", ")}`,
      );
    return { dtype, elements: storage.elements / elementBytes(dtype), read: () => storage.read() };
  };
  const setOf = callable((items = []) => {
    if (!Array.isArray(items)) throw refuse("a set is not made of a list");
    return new Set(items);
  });
  /** An object of a class that is called without arguments. */
  const reconstructor = callable((of) => {
    if (of !== object && !(of instanceof LayerClass)) throw refuse("it makes an object of what is no class");
    return (of as PickleGlobal).call();
  });
  const object = callable(() => null);
  const known: Record<string, unknown> = {
    "collections.OrderedDict": callable((items) => dictOf(items)),
    "collections.defaultdict": callable(() => new Map()),
    "torch._utils._rebuild_tensor": callable(tensor),
    "torch._utils._rebuild_tensor_v2": callable(tensor),
    "torch._utils._rebuild_tensor_v3": callable((...given) => {
      const [storage, offset, shape, strides, , , name] = given;
      return tensor(viewOf(storage, name), offset, shape, strides);
    }),
    "torch.storage.UntypedStorage": new StorageClass("U8"),
    "torch._utils._rebuild_parameter": callable((data) => data),
    "torch._utils._rebuild_parameter_with_state": callable((data) => data),
    "torch.storage._load_from_bytes": callable((bytes) => {
      if (!(bytes instanceof Uint8Array)) throw refuse("a storage is not made of bytes");
      return nested(bytes);
    }),
    "torch.Size": callable((sizes = []) => sizes),
    "torch.device": callable((...parts) => keyText(parts) ?? null),
    "torch_utils.persistence._reconstruct_persistent_obj": callable((meta) => persistentNetwork(meta, refuse)),
    "dnnlib.util.EasyDict": callable((items) => dictOf(items)),
    "copyreg._reconstructor": reconstructor,
    "copy_reg._reconstructor": reconstructor,
    "builtins.object": object,
    "__builtin__.object": object,
    "builtins.set": setOf,
    "__builtin__.set": setOf,
    ...numpyNames(refuse),
  };
  return {
    global(module, name) {
      const full = `${module}.${name}`;
      if (Object.hasOwn(known, full)) return known[full];
      if (module === "torch" && Object.hasOwn(storageTypes, name)) return new StorageClass(storageTypes[name]);
      if (module === "torch" && /^(float|bfloat|int|uint|complex)\d+(_e\dm\d(fn)?)?$|^bool$/.test(name))
        return `torch.${name}`;
      // A layer of PyTorch that was pickled whole: its name and its state.
      if (module.startsWith("torch.nn.modules.") && /^\w+$/.test(name)) return new LayerClass(name);
      const unread = module.startsWith("__torch__") ? "a TorchScript program" : UNREAD[full];
      if (unread === undefined) return undefined;
      throw damaged(
        { name: from },
        `it holds ${unread}, which is not read`,
        "store dense tensors of real numbers: `torch.save(model.state_dict(), FILE)`",
      );
    },
    persistent(id) {
      const [kind, type, key, , elements] = Array.isArray(id) ? id : [];
      const dtype = type instanceof StorageClass ? type.dtype : undefined;
      const name = keyText(key);
      if (kind !== "storage" || !dtype || name === undefined || !(Number.isSafeInteger(elements) && elements >= 0))
        throw refuse("it refers to something that is no storage of numbers");
      return storageOf(name, dtype, elements);
    },
  };
}

/** Types of PyTorch that have no storage class, so that their storages are bytes. */
const VIEWED: Readonly<Record<string, StoredDtype>> = Object.assign(Object.create(null), {
  "torch.float8_e4m3fn": "F8_E4M3",
  "torch.float8_e5m2": "F8_E5M2",
  "torch.uint16": "U16",
  "torch.uint32": "U32",
});

/** Names of PyTorch's own that stand for what is not read. */
const UNREAD: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  "torch._utils._rebuild_sparse_tensor": "a sparse tensor",
  "torch._utils._rebuild_sparse_csr_tensor": "a sparse tensor",
  "torch._utils._rebuild_qtensor": "a quantised tensor",
  "torch.QInt8Storage": "a quantised tensor",
  "torch.QUInt8Storage": "a quantised tensor",
  "torch.QInt32Storage": "a quantised tensor",
  "torch.ComplexFloatStorage": "complex numbers",
  "torch.ComplexDoubleStorage": "complex numbers",
});

/** A class of storages: the type of their numbers. */
class StorageClass {
  readonly dtype: StoredDtype;
  constructor(dtype: StoredDtype) {
    this.dtype = dtype;
  }
}

/** A class of layers. */
class LayerClass implements PickleGlobal {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
  call(): PickledModule {
    return new PickledModule(this.name);
  }
}

const callable = (call: PickleGlobal["call"]): PickleGlobal => ({ call });

const isStorage = (value: unknown): value is TorchStorage =>
  typeof value === "object" && value !== null && "elements" in value && "read" in value;

/** A dict, from a list of pairs or from nothing. */
function dictOf(items: unknown): Map<unknown, unknown> {
  const pairs = Array.isArray(items) ? items.filter((pair) => Array.isArray(pair)) : [];
  return new Map(pairs as [unknown, unknown][]);
}

/** A layer or network that was pickled with its state: its class is a name here. */
export class PickledModule {
  readonly className: string;
  state: ReadonlyMap<unknown, unknown> = new Map();
  constructor(className: string) {
    this.className = className;
  }
  setState(state: unknown): void {
    if (state instanceof Map) this.state = state;
  }
  part(name: string): ReadonlyMap<unknown, unknown> {
    const part = this.state.get(name);
    return part instanceof Map ? part : new Map();
  }
}

/** EDM's networks carry their source along, which is not looked at. */
function persistentNetwork(meta: unknown, refuse: (why: string) => Error): PickledModule {
  const field = (name: string) => (meta instanceof Map ? meta.get(name) : undefined);
  const className = field("class_name");
  if (field("type") !== "class" || typeof className !== "string") throw refuse("a network has no class");
  const network = new PickledModule(className);
  network.setState(field("state"));
  return network;
}

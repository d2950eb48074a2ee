// The only file that imports tsyringe.
import "reflect-metadata"; // tsyringe throws at import without Reflect.getMetadata
import { type DependencyContainer, instanceCachingFactory, container as root } from "tsyringe";
import { failure } from "../errors.ts";
import { disposeInReverse } from "./dispose.ts";
import type { Resolver } from "./resolver.ts";
import type { AnyToken, ListToken, Token } from "./token.ts";

interface Provider {
  readonly name: string;
  readonly owner: string;
  /** True until its value exists (for a promise: until it has settled); asking again before is a cycle. */
  pending: boolean;
}

/**
 * Holds factories by token and makes each value once, when first asked for. Factories only, no decorators, so nothing
 * needs emitted metadata. A dependency that loads asynchronously is a token of a promise.
 */
export class Container implements Resolver {
  readonly #di: DependencyContainer = root.createChildContainer();
  readonly #providers = new Map<symbol, Provider[]>();
  readonly #values: unknown[] = [];
  readonly #foreign = new Set<unknown>();
  /** Who is being made, outermost first, while tsyringe calls a factory. */
  #path: readonly Provider[] = [];
  #disposed: Promise<void> | undefined;

  /**
   * Registers how to make a value; `owner` is the plugin's name in errors. A second provider of a single-valued token
   * throws E_DUPLICATE_PLUGIN, which names both owners; for a list token it adds to the list.
   */
  provide<T>(key: AnyToken<T>, make: (c: Resolver) => T, owner: string = key.name): this {
    const provider = this.#enter(key, owner, true);
    const create = instanceCachingFactory(() => this.#create(provider, make));
    this.#di.register<T>(key.key, { useFactory: create });
    return this;
  }

  /** Registers a value made elsewhere. Whoever made it disposes it. */
  value<T>(key: AnyToken<T>, value: T, owner: string = key.name): this {
    this.#enter(key, owner, false);
    this.#foreign.add(value);
    this.#di.register<T>(key.key, { useValue: value });
    return this;
  }

  get<T>(key: Token<T>): T {
    return this.#get(key, []);
  }

  all<T>(key: ListToken<T>): T[] {
    return this.#all(key, []);
  }

  has<T>(key: AnyToken<T>): boolean {
    return this.#providers.has(key.key);
  }

  /** Whether somebody has asked for the value, or for one of the values, of a token. */
  asked<T>(key: AnyToken<T>): boolean {
    return this.#providers.get(key.key)?.some(({ pending }) => !pending) ?? false;
  }

  /**
   * Disposes every value made here, in reverse order of creation, awaiting each; repeated calls share one
   * promise. Afterwards every question throws E_DISPOSED.
   */
  dispose(): Promise<void> {
    this.#disposed ??= (async () => {
      try {
        await disposeInReverse(this.#values);
      } finally {
        await this.#di.dispose();
      }
    })();
    return this.#disposed;
  }

  #enter<T>(key: AnyToken<T>, owner: string, pending: boolean): Provider {
    this.#refuseIfDisposed(`provide ${key.name}`);
    const providers = this.#providers.get(key.key) ?? [];
    if (!key.many && providers.length > 0) {
      const [{ owner: first }] = providers;
      throw failure(
        "E_DUPLICATE_PLUGIN",
        `Cannot use ${owner}: ${first} already provides ${key.name}, only one plugin may`,
      );
    }
    const provider = { name: key.name, owner, pending };
    this.#providers.set(key.key, [...providers, provider]);
    return provider;
  }

  #get<T>(key: Token<T>, path: readonly Provider[]): T {
    this.#refuseIfDisposed(`resolve ${key.name}`);
    const providers = this.#providers.get(key.key);
    if (providers) return this.#resolve(providers, path, () => this.#di.resolve<T>(key.key));
    const asker = path.at(-1);
    const needed = asker ? `, but ${asker.owner} needs one that does` : "";
    throw failure("E_MISSING_PLUGIN", `Cannot resolve ${key.name}: no plugin provides it${needed}`);
  }

  #all<T>(key: ListToken<T>, path: readonly Provider[]): T[] {
    this.#refuseIfDisposed(`resolve ${key.name}`);
    const providers = this.#providers.get(key.key);
    if (!providers) return [];
    return this.#resolve(providers, path, () => this.#di.resolveAll<T>(key.key));
  }

  #resolve<R>(providers: readonly Provider[], path: readonly Provider[], ask: () => R): R {
    const again = providers.find((provider) => provider.pending && path.includes(provider));
    if (again) {
      const circle = [...path.slice(path.indexOf(again)), again];
      const names = circle.map(({ name, owner }) => (name === owner ? name : `${name} (${owner})`));
      throw failure(
        "E_CYCLE",
        `Cannot resolve ${again.name}: it needs itself through ${names.join(" → ")}, one must not need the next`,
      );
    }
    const outer = this.#path;
    this.#path = path;
    try {
      return ask();
    } finally {
      this.#path = outer;
    }
  }

  #create<T>(provider: Provider, make: (c: Resolver) => T): T {
    // The path travels in the factory's own resolver, so that a question after an `await` still knows who asks.
    const path = [...this.#path, provider];
    const value = make({
      get: (key) => this.#get(key, path),
      all: (key) => this.#all(key, path),
      has: (key) => this.has(key),
    });
    const settle = () => {
      provider.pending = false;
    };
    if (value instanceof Promise) value.then(settle, settle);
    else settle();
    // An alias hands out a value that somebody else releases.
    if (!this.#foreign.has(value) && !this.#values.includes(value)) this.#values.push(value);
    return value;
  }

  #refuseIfDisposed(what: string): void {
    if (this.#disposed) {
      throw failure("E_DISPOSED", `Cannot ${what}: the container is disposed, it must still be in use`);
    }
  }
}

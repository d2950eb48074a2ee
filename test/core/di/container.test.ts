import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Container, listToken, token } from "../../../core/di/mod.ts";
import { OnestepError } from "../../../core/errors.ts";
import { thrown } from "../../helpers/thrown.ts";

const test = suite("core/di/container");

const TEACHER = token<{ name: string }>("Teacher");
const CRITIC = token<{ teacher: { name: string } }>("Critic");
const LOSSES = listToken<string>("Loss");
const DEVICE = token<Promise<{ id: number }>>("Device");

/** A value that writes its name to `log` when it is disposed. */
const logged = (name: string, log: string[], ms?: number) => ({
  name,
  async dispose() {
    if (ms !== undefined) await new Promise((resolve) => setTimeout(resolve, ms));
    log.push(name);
  },
});

test("a value is made once, when it is first asked for", () => {
  let made = 0;
  const c = new Container().provide(TEACHER, () => ({ name: `teacher ${++made}` }));
  assert.is(made, 0);
  assert.is(c.get(TEACHER), c.get(TEACHER));
  assert.is(made, 1);
});

test("a factory gets its dependencies from the resolver it is given", () => {
  const c = new Container().provide(CRITIC, (r) => ({ teacher: r.get(TEACHER) })).value(TEACHER, { name: "edm" });
  assert.is(c.get(CRITIC).teacher.name, "edm");
});

test("a list token keeps the order of registration and may be empty", () => {
  const c = new Container();
  assert.equal(c.all(LOSSES), []);
  c.provide(LOSSES, () => "dmd").value(LOSSES, "gan");
  assert.equal(c.all(LOSSES), ["dmd", "gan"]);
});

test("a second provider of a single value names both plugins", () => {
  const c = new Container().provide(TEACHER, () => ({ name: "a" }), "gaussian-mixture");
  const error = thrown(() => c.provide(TEACHER, () => ({ name: "b" }), "edm"));
  assert.is(error.code, "E_DUPLICATE_PLUGIN");
  assert.is(error.message, "Cannot use edm: gaussian-mixture already provides Teacher, only one plugin may");
});

test("what nobody provides is named, and so is who needs it", () => {
  const c = new Container().provide(CRITIC, (r) => ({ teacher: r.get(TEACHER) }), "fake-score");
  const plain = thrown(() => new Container().get(TEACHER));
  assert.is(plain.code, "E_MISSING_PLUGIN");
  assert.is(plain.message, "Cannot resolve Teacher: no plugin provides it");
  assert.match(thrown(() => c.get(CRITIC)).message, /no plugin provides it, but fake-score needs/);
});

test("a cycle names everyone on it, and the container stays usable", () => {
  const c = new Container()
    .provide(TEACHER, (r) => ({ name: String(r.get(CRITIC)) }), "edm")
    .provide(CRITIC, (r) => ({ teacher: r.get(TEACHER) }), "fake-score")
    .value(LOSSES, "dmd");
  const error = thrown(() => c.get(CRITIC));
  assert.is(error.code, "E_CYCLE");
  assert.match(error.message, "Critic (fake-score) → Teacher (edm) → Critic (fake-score)");
  assert.equal(c.all(LOSSES), ["dmd"]);
});

test("a list whose member asks for the list is a cycle", () => {
  const c = new Container().provide(LOSSES, (r) => r.all(LOSSES).join(), "sum");
  assert.is(thrown(() => c.all(LOSSES)).code, "E_CYCLE");
});

test("a cycle of asynchronous factories is found after their awaits", async () => {
  const A = token<Promise<unknown>>("A");
  const B = token<Promise<unknown>>("B");
  const c = new Container()
    .provide(A, async (r) => {
      await Promise.resolve();
      return r.get(B);
    })
    .provide(B, async (r) => {
      await Promise.resolve();
      return r.get(A);
    });
  const error = await c.get(A).catch((reason: unknown) => reason);
  assert.instance(error, OnestepError);
  assert.is((error as OnestepError).code, "E_CYCLE");
});

test("asking for one another later is no cycle", () => {
  type Lazy = { other(): Lazy };
  const A = token<Lazy>("LazyA");
  const B = token<Lazy>("LazyB");
  const c = new Container()
    .provide(A, (r) => ({ other: () => r.get(B) }))
    .provide(B, (r) => {
      const a = r.get(A);
      return { other: () => a };
    });
  const a = c.get(A);
  assert.is(a.other().other(), a);
});

test("dispose goes in reverse order of creation and awaits each", async () => {
  const log: string[] = [];
  const SLOW = token<unknown>("Slow");
  const FAST = token<unknown>("Fast");
  const c = new Container()
    .provide(FAST, (r) => {
      r.get(SLOW);
      return logged("fast", log);
    })
    .provide(SLOW, () => logged("slow", log, 5))
    .provide(DEVICE, async () => Object.assign(logged("device", log), { id: 1 }));
  c.get(FAST);
  await c.get(DEVICE);
  await Promise.all([c.dispose(), c.dispose()]);
  assert.equal(log, ["device", "fast", "slow"]);
  assert.is(thrown(() => c.get(FAST)).code, "E_DISPOSED");
});

test("dispose leaves alone what was handed in, aliases, and what was never made", async () => {
  const log: string[] = [];
  const ALIAS = token<unknown>("Alias");
  const MADE = token<unknown>("Made");
  const NEVER = token<unknown>("Never");
  const c = new Container()
    .value(TEACHER, logged("handed in", log))
    .provide(MADE, () => logged("made", log))
    .provide(NEVER, () => logged("never", log))
    .provide(ALIAS, (r) => r.get(MADE));
  c.get(ALIAS);
  await c.dispose();
  assert.equal(log, ["made"]);
});

test("one value that fails to dispose does not keep the others", async () => {
  const log: string[] = [];
  const BAD = token<unknown>("Bad");
  const c = new Container()
    .provide(TEACHER, () => logged("teacher", log))
    .provide(BAD, () => ({
      dispose() {
        throw new Error("device lost");
      },
    }));
  c.get(TEACHER);
  c.get(BAD);
  const error = await c.dispose().catch((reason) => reason);
  assert.is(error.message, "device lost");
  assert.equal(log, ["teacher"]);
});

test("an error in a factory passes unchanged and the next question tries again", () => {
  let tries = 0;
  const c = new Container().provide(TEACHER, () => {
    if (++tries === 1) throw new RangeError("first");
    return { name: "second" };
  });
  assert.throws(
    () => c.get(TEACHER),
    (error: Error) => error instanceof RangeError,
  );
  assert.is(c.get(TEACHER).name, "second");
});

test("two tokens of one name match, as from two copies of the core", () => {
  const c = new Container().value(token<number>("Shared"), 7);
  assert.is(c.get(token<number>("Shared")), 7);
});

test.run();

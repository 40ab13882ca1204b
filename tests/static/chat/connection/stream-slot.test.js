// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { takeSlot } from "../../../../static/chat/connection/stream-slot.js";
import { forgetLocks, locksOf } from "../../locks.js";

beforeEach(() => {
  forgetLocks();
  mock.method(Math, "random", () => 0);
});
afterEach(() => mock.restoreAll());

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A page that wants slots. */
class Page extends EventTarget {
  visibilityState = "hidden";
  /** @type {string[]} what its last slot was told */
  told = [];

  /** @param {any} locks */
  constructor(locks) {
    super();
    this.locks = locks;
  }

  async take() {
    /** @type {string[]} */
    const told = [];
    this.told = told;
    const tell = (/** @type {string} */ word) => () => void told.push(word);
    this.slot = takeSlot({ waits: tell("waits"), taken: tell("taken"), lost: tell("lost") }, this, this.locks);
    await settled();
    return this;
  }

  /** @param {"visible" | "hidden"} visibility */
  async turn(visibility) {
    this.visibilityState = visibility;
    this.dispatchEvent(new Event("visibilitychange"));
    await settled();
  }
}

/**
 * Pages that have asked for a slot one after the other, and are shown from `shownFrom` on.
 *
 * @param {number} count
 * @param {number} [shownFrom]
 */
async function pages(count, shownFrom = count) {
  const all = [];
  for (let number = 0; number < count; number += 1) {
    const page = new Page(locksOf(`page ${number}`));
    if (number >= shownFrom) page.visibilityState = "visible";
    all.push(await page.take());
  }
  return all;
}

/** @param {Page[]} all */
const told = (all) => all.map((page) => page.told.join(" "));

test("four hidden pages have a slot, the fifth waits until one leaves", async () => {
  const all = await pages(5);
  assert.deepEqual(told(all), ["taken", "taken", "taken", "taken", "waits"]);
  all[2]?.slot?.leave();
  await settled();
  assert.deepEqual(told(all), ["taken", "taken", "taken", "taken", "waits taken"]);
});

test("page that is shown takes the slot of one that is hidden, at once or when it is turned to", async () => {
  const all = await pages(5, 4);
  assert.deepEqual(told(all), ["taken lost", "taken", "taken", "taken", "taken"]);
  const [first] = all;
  await first?.take();
  assert.equal(first?.told.join(" "), "waits");
  await first?.turn("visible");
  assert.deepEqual(told(all), ["waits taken", "taken lost", "taken", "taken", "taken"]);
});

test("page that is shown waits for others that are shown, until it has something to send", async () => {
  const all = await pages(5, 0);
  assert.deepEqual(told(all), ["taken", "taken", "taken", "taken", "waits"]);
  all[4]?.slot?.insist();
  await settled();
  assert.deepEqual(told(all), ["taken lost", "taken", "taken", "taken", "waits taken"]);
});

test("page that is hidden gives up nothing as long as nobody is shown without a slot", async () => {
  const all = await pages(4, 0);
  await all[0]?.turn("hidden");
  await all[0]?.turn("visible");
  assert.deepEqual(told(all), ["taken", "taken", "taken", "taken"]);
});

test("page that has left waits for nothing, and frees the slot that it gets too late", async () => {
  const all = await pages(5);
  all[4]?.slot?.leave();
  all[0]?.slot?.leave();
  await settled();
  assert.deepEqual(told(all), ["taken", "taken", "taken", "taken", "waits"]);
  assert.deepEqual(told([...(await pages(1))]), ["taken"]);
});

test("pages wait for nobody where requests share a connection", async () => {
  mock.method(performance, "getEntriesByType", (/** @type {string} */ type) =>
    type === "navigation" ? [{ name: `${location.origin}/chat/room1/`, nextHopProtocol: "h2" }] : [],
  );
  assert.deepEqual(told(await pages(6)), Array(6).fill("taken"));
});

test("page without locks has a slot while it is shown and some seconds longer, and to send something", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const page = new Page(undefined);
  await page.turn("visible");
  await page.take();
  await page.turn("hidden");
  mock.timers.tick(9_000);
  await page.turn("visible");
  await page.turn("hidden");
  mock.timers.tick(9_000);
  assert.equal(told([page])[0], "taken");
  mock.timers.tick(1_000);
  assert.equal(told([page])[0], "taken lost");
  await page.take();
  assert.equal(told([page])[0], "waits");
  page.slot?.insist();
  mock.timers.tick(10_000);
  assert.equal(told([page])[0], "waits taken lost");
  await page.take();
  await page.turn("visible");
  assert.equal(told([page])[0], "waits taken");
  mock.timers.reset();
});

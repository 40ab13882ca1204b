// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Follower } from "../../../../static/chat/log/follower.js";

// The page has no layout: tests set the heights, and report sizes and visibility in the browser's place.
const VIEW = 100; // px of the scroller that can be seen
let height = 1_000; // px of what is in it

/** @type {() => void} */
let reportSizes = () => {};
/** @type {(entries: { isIntersecting: boolean }[]) => void} */
let reportEnd = () => {};

/** @type {any} */ (globalThis).ResizeObserver = class {
  /** @param {() => void} callback */
  constructor(callback) {
    reportSizes = callback;
  }
  observe() {}
};
/** @type {any} */ (globalThis).IntersectionObserver = class {
  /** @param {typeof reportEnd} callback */
  constructor(callback) {
    reportEnd = callback;
  }
  observe() {}
  takeRecords() {
    return [];
  }
};

beforeEach(() => {
  height = 1_000;
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => mock.timers.reset());

function newFollower() {
  const scroller = document.createElement("div");
  scroller.append(document.createElement("div"));
  Object.defineProperty(scroller, "scrollHeight", { get: () => height });
  Object.defineProperty(scroller, "clientHeight", { get: () => VIEW });
  const button = document.createElement("button");
  button.hidden = true;
  const follower = new Follower(scroller, document.createElement("div"), button);
  follower.toEnd();
  return { follower, scroller, button };
}

/** The browser lays the page out: sizes first, then what can be seen. */
function frame(/** @type {HTMLElement} */ scroller) {
  reportSizes();
  reportEnd([{ isIntersecting: scroller.scrollTop >= height - VIEW - 24 }]);
}

/** The reader scrolls by the wheel, at once. */
function wheel(/** @type {HTMLElement} */ scroller, /** @type {number} */ top) {
  scroller.dispatchEvent(new WheelEvent("wheel", { deltaY: top < scroller.scrollTop ? -1 : 1 }));
  scroller.scrollTop = top;
  scroller.dispatchEvent(new Event("scroll"));
  frame(scroller);
}

test("follower stays at the end while messages come in bursts", () => {
  const { follower, scroller, button } = newFollower();
  for (let messages = 0; messages < 20; messages++) {
    height += 40;
    follower.announce();
    if (messages % 3 === 0) frame(scroller);
    if (messages % 5 === 0) scroller.dispatchEvent(new Event("scroll")); // of the follower's own scrolling, late
  }
  frame(scroller);
  assert.equal(scroller.scrollTop, height);
  assert.equal(follower.following, true);
  assert.equal(button.hidden, true);
});

test("follower leaves a reader above the end and offers the way back once a message comes", () => {
  const { follower, scroller, button } = newFollower();
  wheel(scroller, 300);
  mock.timers.tick(150);
  assert.equal(follower.following, false);
  assert.equal(button.hidden, true);
  height += 40;
  follower.announce();
  frame(scroller);
  assert.equal(scroller.scrollTop, 300);
  assert.equal(button.hidden, false);
  button.click();
  assert.equal(scroller.scrollTop, height);
  assert.equal(follower.following, true);
  assert.equal(button.hidden, true);
});

test("follower follows again once the reader is back at the end", () => {
  const { follower, scroller, button } = newFollower();
  wheel(scroller, 300);
  mock.timers.tick(150);
  height += 40;
  follower.announce();
  wheel(scroller, height - VIEW);
  mock.timers.tick(150);
  assert.equal(follower.following, true);
  assert.equal(button.hidden, true);
});

test("follower does not pull back a reader who is scrolling up", () => {
  const { follower, scroller } = newFollower();
  scroller.scrollTop = height - VIEW;
  wheel(scroller, height - VIEW - 10); // still near the end
  height += 40;
  follower.announce();
  frame(scroller);
  assert.equal(scroller.scrollTop, 890);
});

test("follower asks for older messages near the start only", () => {
  const { follower, scroller } = newFollower();
  const wanted = mock.fn();
  follower.atStart = wanted;
  wheel(scroller, 500);
  assert.equal(wanted.mock.callCount(), 0);
  wheel(scroller, 399);
  assert.equal(wanted.mock.callCount(), 1);
});

for (const [key, top] of /** @type {const} */ ([
  ["PageUp", 440],
  ["PageDown", 560],
])) {
  test(`follower scrolls by a page less an overlap at ${key} in the composer`, () => {
    const { follower, scroller } = newFollower();
    const input = document.createElement("textarea");
    follower.takePageKeys(input);
    scroller.scrollTop = 500;
    const event = new KeyboardEvent("keydown", { key, cancelable: true });
    input.dispatchEvent(event);
    assert.equal(scroller.scrollTop, top);
    assert.equal(event.defaultPrevented, true);
  });
}

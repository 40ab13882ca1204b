// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { Lightbox } from "../../../../static/chat/files/lightbox.js";

beforeEach(() => {
  const link = (/** @type {string} */ name) => `<a class="picture" href="/${name}"><img alt="${name}"></a>`;
  document.body.innerHTML = `<div id="log">${["a", "b", "c"].map(link).join("")}</div>
    <dialog><img><p class="lightbox-caption"></p><a class="lightbox-download"></a>
    <button class="lightbox-before"></button><button class="lightbox-after"></button>
    <button class="lightbox-close"></button></dialog>`;
  new Lightbox(dialog(), /** @type {HTMLElement} */ (document.querySelector("#log")));
});

const dialog = () => /** @type {HTMLDialogElement} */ (document.querySelector("dialog"));
const shown = () => document.querySelector(".lightbox-caption")?.textContent;
/** @param {string} selector */
const press = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector)).click();

/** @param {{ touches: { clientX: number, clientY: number }[], to: { clientX: number, clientY: number } }} fingers */
function swipe({ touches, to }) {
  dialog().dispatchEvent(Object.assign(new Event("touchstart"), { touches }));
  dialog().dispatchEvent(Object.assign(new Event("touchend"), { changedTouches: [to] }));
}

test("finger that goes sideways leads to the next picture, and back", () => {
  press("a.picture");
  const [left, right] = [
    { clientX: 60, clientY: 300 },
    { clientX: 300, clientY: 320 },
  ];
  swipe({ touches: [right], to: left });
  assert.equal(shown(), "b (2 of 3)");
  swipe({ touches: [left], to: right });
  swipe({ touches: [left], to: right }); // there is none before it
  assert.equal(shown(), "a (1 of 3)");
});

test("other movements of fingers change nothing", () => {
  press("a.picture");
  const from = { clientX: 300, clientY: 300 };
  swipe({ touches: [from], to: { clientX: 260, clientY: 300 } });
  swipe({ touches: [from], to: { clientX: 200, clientY: 400 } });
  swipe({ touches: [from, from], to: { clientX: 60, clientY: 300 } });
  assert.equal(shown(), "a (1 of 3)");
});

test("focus goes to the other button where one can’t be pressed any more", () => {
  press("a.picture");
  const after = /** @type {HTMLButtonElement} */ (document.querySelector(".lightbox-after"));
  after.focus();
  after.click();
  assert.equal(document.activeElement, after);
  after.click();
  assert.equal(document.activeElement?.className, "lightbox-before");
});

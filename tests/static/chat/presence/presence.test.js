// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { ChatPresence } from "../../../../static/chat/presence/chat-presence.js";
import { ChatTyping } from "../../../../static/chat/presence/chat-typing.js";
import { TypingSign } from "../../../../static/chat/presence/typing-sign.js";

customElements.define("chat-presence", ChatPresence);
customElements.define("chat-typing", ChatTyping);

const ANN = { id: "user-1", name: "Ann" };
const BEN = { id: "user-2", name: "<b>Ben</b>" };
const CEM = { id: "user-3", name: "Cem" };

let now = 0;

beforeEach(() => {
  now = 1_000_000;
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(performance, "now", () => now);
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
  document.body.replaceChildren();
});

function presence() {
  const holder = document.createElement("div");
  holder.innerHTML = `
    <chat-presence hidden>
      <details><summary></summary><ul></ul><p class="more"></p><p class="incomplete"></p></details>
    </chat-presence>`;
  document.body.append(holder); // whole, as a page is by when its modules run
  return /** @type {ChatPresence} */ (document.querySelector("chat-presence"));
}

function typing() {
  document.body.innerHTML =
    '<chat-typing data-one="{} is typing…" data-two="{} and {} are typing…" data-many="Several people are typing…"></chat-typing>';
  const element = /** @type {ChatTyping} */ (document.querySelector("chat-typing"));
  element.readerId = ANN.id;
  return element;
}

/** @param {ParentNode} root @param {string} selector */
const at = (root, selector) => /** @type {HTMLElement} */ (root.querySelector(selector));

/** @param {ChatPresence} element */
function open(element) {
  const details = /** @type {HTMLDetailsElement} */ (element.querySelector("details"));
  details.open = true;
  details.dispatchEvent(new Event("toggle"));
}

test("presence counts, and lists once it is opened", () => {
  const element = presence();
  element.readerId = ANN.id;
  element.show({ count: 1234, people: [ANN, BEN], complete: true });
  assert.equal(element.hidden, false);
  assert.equal(at(element, "summary").textContent, `${(1234).toLocaleString()} here`);
  assert.equal(at(element, "ul").children.length, 0);
  open(element);
  assert.deepEqual(
    Array.from(at(element, "ul").children, (item) => item.textContent),
    ["Ann(you)", "<b>Ben</b>"],
  );
  assert.equal(at(element, ".more").textContent, `and ${(1232).toLocaleString()} more`);
  assert.equal(at(element, ".incomplete").hidden, true);
});

test("presence says where the server can't know all", () => {
  const element = presence();
  open(element);
  element.show({ count: 1, people: [ANN], complete: false });
  assert.equal(at(element, ".incomplete").hidden, false);
  assert.equal(at(element, ".more").hidden, true);
  element.clear();
  assert.equal(element.hidden, true);
});

test("typing leaves out the reader, and takes names for text", () => {
  const element = typing();
  element.show({ people: [ANN] });
  assert.equal(element.textContent, "");
  element.show({ people: [ANN, BEN] });
  assert.equal(element.textContent, "<b>Ben</b> is typing…");
  element.show({ people: [BEN, CEM] });
  assert.equal(element.textContent, "<b>Ben</b> and Cem are typing…");
  element.show({ people: [BEN, CEM, { id: "user-4", name: "Dan" }] });
  assert.equal(element.textContent, "Several people are typing…");
});

test("typing ends with the message, and by itself", () => {
  const element = typing();
  element.show({ people: [BEN, CEM] });
  element.settle(CEM.id);
  assert.equal(element.textContent, "<b>Ben</b> is typing…");
  mock.timers.tick(8_000);
  assert.equal(element.textContent, "");
});

test("signs of typing are three seconds apart, and one says that it was taken back", () => {
  const input = document.createElement("textarea");
  /** @type {boolean[]} */
  const sent = [];
  new TypingSign(input, (isTyping) => sent.push(isTyping));
  /** @param {string} text */
  const type = (text) => {
    input.value = text;
    input.dispatchEvent(new Event("input"));
  };
  type("a");
  now += 2_999;
  type("ab");
  assert.deepEqual(sent, [true]);
  now += 1;
  type("abc");
  assert.deepEqual(sent, [true, true]);
  type("");
  type("");
  type("again");
  assert.deepEqual(sent, [true, true, false]);
});

// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { announce, ChatIdentity } from "../../../../static/chat/connection/identity.js";

customElements.define("chat-identity", ChatIdentity);

const ANN = { id: "guest-1", name: "Ann" };
const BEN = { id: "guest-2", name: "Ben" };
const ZOE = { id: "user-7", name: "zoe" };

/** @type {() => Response | Promise<Response>} the answer of /accounts/me/ */
let answer;

beforeEach(() => {
  localStorage.clear();
  answer = () => Response.json(ANN);
  mock.method(globalThis, "fetch", async () => answer());
});
afterEach(() => {
  mock.restoreAll();
  document.body.replaceChildren();
});

/** The notice of a page that was made for Ann. */
function newIdentity(firstVisit = false) {
  const identity = /** @type {ChatIdentity} */ (document.createElement("chat-identity"));
  identity.hidden = true;
  identity.dataset.url = "/accounts/me/";
  identity.innerHTML = '<span class="words"></span> <a href="/login/">Log in</a> <button hidden></button>';
  document.body.append(identity);
  identity.takeOver = mock.fn();
  identity.reconnect = mock.fn();
  identity.onlyRead = mock.fn();
  identity.watch(ANN, firstVisit);
  return identity;
}

/** Waits until pending requests are answered. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

const calls = (/** @type {any} */ fake) => fake.mock.calls.map((/** @type {any} */ call) => call.arguments);
const words = () => document.querySelector(".words")?.textContent;
const link = () => /** @type {HTMLElement} */ (document.querySelector("a"));
const button = () => /** @type {HTMLButtonElement} */ (document.querySelector("button"));
const anotherTab = () => dispatchEvent(new StorageEvent("storage", { key: "chat person" }));

for (const [person, hasLink] of /** @type {const} */ ([
  [ZOE, false],
  [BEN, true],
])) {
  test(`refused page of Ann offers to go on as ${person.name}`, async () => {
    answer = () => Response.json(person);
    const identity = newIdentity();
    identity.refuse();
    assert.equal(words(), "Your session here has ended.");
    await settled();
    assert.equal(identity.hidden, false);
    assert.equal(words(), `You are now ${person.name} in this browser.`);
    assert.equal(button().textContent, `Go on as ${person.name}`);
    assert.equal(link().hidden, !hasLink);
    button().click();
    assert.deepEqual(calls(identity.takeOver), [[person]]);
    assert.equal(identity.hidden, true);
  });
}

test("refused page without a person offers the login alone", async () => {
  answer = () => Response.json({ error: { code: "login_required" } }, { status: 403 });
  const identity = newIdentity();
  identity.refuse();
  await settled();
  assert.equal(words(), "Your session here has ended.");
  assert.equal(link().hidden, false);
  assert.equal(button().hidden, true);
});

for (const [name, bad] of /** @type {const} */ ([
  ["an error", () => new Response("", { status: 500 })],
  ["no JSON", () => new Response("<html>")],
  ["nothing", () => Promise.reject(new TypeError("Failed to fetch"))],
])) {
  test(`refused page that gets ${name} from the server says that the session has ended`, async () => {
    answer = bad;
    const identity = newIdentity();
    identity.refuse();
    await settled();
    assert.equal(words(), "Your session here has ended.");
    assert.equal(identity.hidden, false);
    assert.equal(button().hidden, true);
  });
}

test("refused page whose person is the same reconnects once", async () => {
  const identity = newIdentity();
  identity.refuse();
  await settled();
  assert.equal(calls(identity.reconnect).length, 1);
  assert.equal(identity.hidden, true);
  identity.refuse();
  await settled();
  assert.equal(calls(identity.reconnect).length, 1);
  assert.equal(words(), "Your session here has ended.");
});

test("change of the person in another tab shows the notice until the person is the same again", async () => {
  const identity = newIdentity();
  answer = () => Response.json(ZOE);
  anotherTab();
  await settled();
  assert.equal(identity.hidden, false);
  answer = () => Response.json(ANN);
  anotherTab();
  await settled();
  assert.equal(identity.hidden, true);
  assert.equal(calls(identity.reconnect).length, 0);
});

test("new name of the guest in another tab shows the notice", async () => {
  newIdentity();
  answer = () => Response.json({ ...ANN, name: "Anna" });
  anotherTab();
  await settled();
  assert.equal(words(), "You are now Anna in this browser.");
});

test("identity ignores other keys stored in another tab", async () => {
  newIdentity();
  dispatchEvent(new StorageEvent("storage", { key: "something else" }));
  await settled();
  assert.equal(calls(fetch).length, 0);
});

test("announce stores id and name, and fails silently where storage is forbidden", () => {
  announce(ZOE);
  assert.equal(localStorage.getItem("chat person"), '["user-7","zoe"]');
  mock.method(Object.getPrototypeOf(localStorage), "setItem", () => {
    throw new Error("forbidden");
  });
  announce(ANN);
});

test("page of a first visit takes over the guest that the browser keeps by itself", async () => {
  answer = () => Response.json(BEN);
  const identity = newIdentity(true);
  identity.refuse();
  await settled();
  await settled();
  assert.deepEqual(calls(identity.takeOver), [[BEN]]);
  assert.equal(identity.hidden, true);
});

test("page of a first visit takes over a user only when asked to", async () => {
  answer = () => Response.json(ZOE);
  const identity = newIdentity(true);
  anotherTab();
  await settled();
  assert.deepEqual(calls(identity.takeOver), []);
  assert.equal(words(), "You are now zoe in this browser.");
});

test("page whose guest changes with each request only reads, since the browser keeps no cookies", async () => {
  let number = 2;
  answer = () => Response.json({ id: `guest-${number++}`, name: "Somebody" });
  const identity = newIdentity(true);
  identity.refuse();
  await settled();
  await settled();
  assert.deepEqual(calls(identity.takeOver), []);
  assert.equal(calls(identity.onlyRead).length, 1);
  assert.match(words() ?? "", /keeps no cookies/);
  assert.equal(identity.hidden, false);
  assert.equal(button().hidden && link().hidden, true);
});

test("page of a first visit that gets no answer says that the session has ended", async () => {
  answer = () => new Response(null, { status: 503 });
  const identity = newIdentity(true);
  identity.refuse();
  await settled();
  assert.equal(words(), "Your session here has ended.");
});

// @ts-check
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const source = readFileSync(new URL("../../../static/chat/service-worker.js", import.meta.url), "utf8");

/** A page of the chat as its service worker knows it. */
function page(/** @type {string} */ url) {
  /** @type {unknown[]} */
  const told = [];
  let focused = false;
  return {
    url,
    told,
    focus: async () => {
      focused = true;
    },
    postMessage: (/** @type {unknown} */ message) => told.push(message),
    get focused() {
      return focused;
    },
  };
}

/** The worker, with these pages open, and what it does. */
function start(/** @type {ReturnType<typeof page>[]} */ ...pages) {
  /** @type {Map<string, (event: object) => void>} */
  const listeners = new Map();
  /** @type {Map<string, any>} */
  const shown = new Map();
  /** @type {string[]} */
  const opened = [];
  /** @type {any[]} */
  const sent = [];
  const self = {
    offline: { version: "1", page: "/chat/offline.html", files: ["/static/site.css"] },
    skipWaiting: async () => {},
    addEventListener: (/** @type {string} */ kind, /** @type {any} */ listener) => listeners.set(kind, listener),
    registration: {
      getNotifications: async (/** @type {any} */ { tag }) => (shown.has(tag) ? [shown.get(tag)] : []),
      showNotification: async (/** @type {string} */ title, /** @type {any} */ options) => {
        shown.set(options.tag, { title, ...options });
      },
      pushManager: { subscribe: async () => ({ endpoint: "https://push.example.org/new" }) },
    },
    clients: { matchAll: async () => pages, openWindow: async (/** @type {string} */ url) => opened.push(url) },
  };
  const location = { origin: "https://chat.example.org", href: "https://chat.example.org/chat/service-worker.js" };
  const fetch = async (/** @type {string} */ url, /** @type {any} */ { body }) => sent.push([url, JSON.parse(body)]);
  /** @type {Map<string, any>} */
  const kept = new Map();
  const put = async (/** @type {string} */ path, /** @type {any} */ answer) => {
    if (path.endsWith("/1")) throw new Error("QuotaExceededError");
    kept.set(path, answer);
  };
  const caches = { open: async () => ({ addAll: async () => {}, put }), delete: async () => kept.clear() };
  vm.runInNewContext(source, { self, location, fetch, URL, caches, File, Response, Request: String });

  /** Hand the worker an event, and wait until it is done with it. */
  async function hand(/** @type {string} */ kind, /** @type {object} */ about) {
    /** @type {Promise<unknown>[]} */
    const work = [];
    listeners.get(kind)?.({ ...about, waitUntil: (/** @type {Promise<unknown>} */ one) => work.push(one) });
    await Promise.all(work);
  }
  const push = (/** @type {object} */ said) => hand("push", { data: { json: () => said } });
  return { hand, push, shown, opened, sent, kept };
}

const said = {
  title: "room1",
  body: "Ben mentioned you",
  tag: "room1",
  url: "/chat/room1/?at=1",
  count: 1,
  sent_at: 1000,
};

test("a push is shown, and the next one of its room takes its place without a sound", async () => {
  const worker = start();
  await worker.push(said);
  assert.equal(worker.shown.get("room1").renotify, false);
  await worker.push({ ...said, body: "2 new mentions", sent_at: 2000 });
  assert.equal(worker.shown.size, 1);
  assert.equal(worker.shown.get("room1").body, "2 new mentions");
  assert.equal(worker.shown.get("room1").renotify, false);
});

test("a push makes itself felt again some time after the one before", async () => {
  const worker = start();
  await worker.push(said);
  await worker.push({ ...said, sent_at: 100_000 });
  assert.equal(worker.shown.get("room1").renotify, true);
});

test("a click opens the message where no page of its room is open", async () => {
  const worker = start(page("https://chat.example.org/chat/room2/"));
  let closed = false;
  const notification = { data: { url: "/chat/room1/?at=1" }, close: () => (closed = true) };
  await worker.hand("notificationclick", { notification });
  assert.deepEqual(worker.opened, ["https://chat.example.org/chat/room1/?at=1"]);
  assert.ok(closed);
});

test("a click leads the open page of the room to the message", async () => {
  const open = page("https://chat.example.org/chat/room1/?at=0");
  const worker = start(page("https://chat.example.org/chat/"), open);
  await worker.hand("notificationclick", { notification: { data: { url: "/chat/room1/?at=1" }, close: () => {} } });
  assert.ok(open.focused);
  assert.equal(JSON.stringify(open.told), JSON.stringify([{ kind: "open", url: "/chat/room1/?at=1" }]));
  assert.deepEqual(worker.opened, []);
});

test("another address of the browser takes the place of the old one", async () => {
  const worker = start();
  const oldSubscription = { endpoint: "https://push.example.org/old", options: {} };
  await worker.hand("pushsubscriptionchange", { oldSubscription });
  const subscription = { endpoint: "https://push.example.org/new" };
  assert.deepEqual(worker.sent, [
    ["/accounts/notifications/devices/", { subscription, before: "https://push.example.org/old" }],
  ]);
});

test("a browser that doesn't say which address it had tells nothing", async () => {
  const worker = start();
  await worker.hand("pushsubscriptionchange", {});
  assert.deepEqual(worker.sent, []);
});

test("only pages and what is kept for the offline page are asked of the worker, where a browser knows routes", async () => {
  const worker = start();
  /** @type {any[]} */
  const routes = [];
  await worker.hand("install", { addRoutes: async (/** @type {object[]} */ some) => routes.push(...some) });
  assert.deepEqual(structuredClone(routes), [
    { condition: { requestMode: "navigate" }, source: "fetch-event" },
    { condition: { urlPattern: "/static/site.css" }, source: "fetch-event" },
    { condition: { urlPattern: "/*" }, source: "network" },
  ]);
  await worker.hand("install", {});
});

test("what another app shares is kept, as far as there is room for it", async () => {
  const worker = start();
  const form = new FormData();
  for (let number = 0; number < 12; number += 1) form.append("files", new File(["content"], `${number}.txt`));
  form.append("text", "words");
  /** @type {Promise<Response>} */
  let answer = Promise.reject(new Error("no answer"));
  answer.catch(() => {});
  await worker.hand("fetch", {
    request: { method: "POST", url: "https://chat.example.org/chat/share-target", formData: async () => form },
    respondWith: (/** @type {Promise<Response>} */ one) => {
      answer = one;
    },
  });
  assert.equal((await answer).status, 303);
  const about = await worker.kept.get("/chat/shared").json();
  assert.equal(about.text, "words");
  assert.equal(about.names.length, 12);
  assert.equal(worker.kept.size, 12); // one was too much
});

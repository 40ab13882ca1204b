// @ts-check
/**
 * The chat's service worker: shows a page of its own where the site can't be reached, keeps what other apps share
 * until a room is chosen for it, and shows what the site pushes.
 *
 * Pages come from the site and are kept nowhere: they have what private rooms say. chat/web_app.py serves this file,
 * after a line that sets `offline`; a change of the offline page or its files so makes browsers install it anew.
 */

/**
 * @typedef {Event & { waitUntil: (work: Promise<unknown>) => void }} WorkerEvent
 * @typedef {WorkerEvent & { addRoutes?: (routes: object[]) => Promise<void> }} WorkerInstall
 * @typedef {WorkerEvent & {
 *   request: Request,
 *   preloadResponse: Promise<Response | undefined>,
 *   respondWith: (answer: Promise<Response>) => void,
 * }} WorkerFetch
 * @typedef {WorkerEvent & { data: { json: () => Pushed } | null }} WorkerPush
 * @typedef {WorkerEvent & { notification: Notification }} NotificationClick
 * @typedef {WorkerEvent & {
 *   oldSubscription?: PushSubscription | null,
 *   newSubscription?: PushSubscription | null,
 * }} SubscriptionChange
 * @typedef {object} Pushed As docs/protocol.md has it.
 * @property {string} title
 * @property {string} body
 * @property {string} tag
 * @property {string} url
 * @property {number} count
 * @property {number} sent_at
 * @typedef {object} Page One of the site's, as the worker knows it.
 * @property {string} url
 * @property {() => Promise<Page>} focus
 * @property {(url: string) => Promise<Page | null>} navigate
 * @property {(message: unknown) => void} postMessage
 * @typedef {object} Worker What this file uses of `ServiceWorkerGlobalScope`.
 * @property {{ version: string, page: string, files: string[] }} offline
 * @property {ServiceWorkerRegistration} registration
 * @property {{
 *   matchAll: (which: object) => Promise<Page[]>,
 *   openWindow: (url: string) => Promise<Page | null>,
 * }} clients
 * @property {() => Promise<void>} skipWaiting
 */

const worker = /** @type {Worker & EventTarget} */ (/** @type {unknown} */ (self));
const { version, page, files } = worker.offline;

const OFFLINE_CACHE = `offline ${version}`;
const SHARED_CACHE = "shared";
const SHARE_TARGET = "/chat/share-target";
const RENOTIFY_AFTER = 60_000; // milliseconds from one message that is felt to the next of the same room

worker.addEventListener("install", (event) => {
  const installing = /** @type {WorkerInstall} */ (event);
  installing.waitUntil(Promise.all([install(), passBy(installing)]));
});
worker.addEventListener("activate", (event) => {
  /** @type {WorkerEvent} */ (event).waitUntil(activate());
});
worker.addEventListener("fetch", (event) => {
  const fetching = /** @type {WorkerFetch} */ (event);
  const { request } = fetching;
  const { pathname } = new URL(request.url);
  if (request.method === "POST" && pathname === SHARE_TARGET) fetching.respondWith(takeShared(request));
  else if (request.method !== "GET") return;
  else if (request.mode === "navigate") fetching.respondWith(visit(fetching));
  else if (files.includes(pathname)) fetching.respondWith(fetch(request).catch(() => kept(pathname)));
});
worker.addEventListener("push", (event) => {
  const push = /** @type {WorkerPush} */ (event);
  push.waitUntil(showPushed(push.data?.json() ?? null));
});
worker.addEventListener("notificationclick", (event) => {
  const click = /** @type {NotificationClick} */ (event);
  click.notification.close();
  click.waitUntil(openPage(click.notification.data?.url ?? "/chat/"));
});
worker.addEventListener("pushsubscriptionchange", (event) => {
  const change = /** @type {SubscriptionChange} */ (event);
  change.waitUntil(moveSubscription(change));
});

async function install() {
  const cache = await caches.open(OFFLINE_CACHE);
  await cache.addAll([page, ...files].map((path) => new Request(path, { cache: "reload" })));
  await worker.skipWaiting();
}

/**
 * Have the browser fetch by itself what this worker would only fetch. A page has dozens of files, and Chromium has been
 * seen to wait minutes for them where a worker was replaced meanwhile. Browsers that know no routes ask for each.
 *
 * @param {WorkerInstall} event
 */
async function passBy(event) {
  const own = [{ requestMode: "navigate" }, ...files.map((path) => ({ urlPattern: path }))];
  const routes = own.map((condition) => ({ condition, source: "fetch-event" }));
  await event.addRoutes?.([...routes, { condition: { urlPattern: "/*" }, source: "network" }]);
}

async function activate() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("offline ") && name !== OFFLINE_CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.registration.navigationPreload?.enable();
}

/** @param {WorkerFetch} event */
async function visit(event) {
  try {
    return (await event.preloadResponse) ?? (await fetch(event.request));
  } catch {
    return kept(page);
  }
}

/** @param {string} path of what was kept for when the site can't be reached */
async function kept(path) {
  return (await caches.match(path, { cacheName: OFFLINE_CACHE })) ?? Response.error();
}

/**
 * Keep what another app shares, as static/chat/shared/shared.js takes it, and lead to the rooms.
 *
 * @param {Request} request
 */
async function takeShared(request) {
  const form = await request.formData();
  const shared = form.getAll("files").filter((value) => value instanceof File && value.size > 0);
  const filesShared = /** @type {File[]} */ (shared);
  await caches.delete(SHARED_CACHE);
  const cache = await caches.open(SHARED_CACHE);
  // The page takes those that there was room for, and says how many a message may have.
  await Promise.allSettled(
    filesShared.map((file, number) =>
      cache.put(`/chat/shared/${number}`, new Response(file, { headers: { "Content-Type": file.type } })),
    ),
  );
  const about = { text: sharedText(form), names: filesShared.map((file) => file.name), at: Date.now() };
  await cache.put("/chat/shared", Response.json(about));
  return Response.redirect(`${location.origin}/chat/?shared`, 303);
}

/**
 * The title, the text and the address, each once: apps put the same into several of them.
 *
 * @param {FormData} form
 */
function sharedText(form) {
  /** @type {string[]} */
  const lines = [];
  for (const name of ["text", "title", "url"]) {
    const line = String(form.get(name) ?? "").trim();
    if (lines.some((other) => other.includes(line))) continue;
    if (name === "title") lines.unshift(line);
    else lines.push(line);
  }
  return lines.join("\n");
}

/**
 * A push always shows something: browsers take back the permission of sites whose pushes don't. One of a room takes the
 * place of the one before, and makes itself felt again only some time after that.
 *
 * @param {Pushed | null} pushed
 */
async function showPushed(pushed) {
  if (!pushed) return;
  const { title, body, tag, url, sent_at: sentAt } = pushed;
  const [before] = await worker.registration.getNotifications({ tag });
  const renotify = before !== undefined && sentAt - before.data.sentAt > RENOTIFY_AFTER;
  const data = { url, sentAt };
  const icon = "/static/icons/icon-192.png";
  await worker.registration.showNotification(
    title,
    /** @type {NotificationOptions} */ ({ body, tag, renotify, icon, data, timestamp: sentAt }),
  );
}

/**
 * Lead to a message: in a page of its room that is open, else in any page of the chat, else in a new one.
 *
 * @param {string} url
 */
async function openPage(url) {
  const wanted = new URL(url, location.origin);
  const pages = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const open = pages.find((page) => new URL(page.url).pathname === wanted.pathname);
  if (!open) {
    await worker.clients.openWindow(wanted.href);
    return;
  }
  await open.focus().catch(() => {}); // not every browser lets it
  open.postMessage({ kind: "open", url: wanted.pathname + wanted.search });
}

/**
 * The browser has another address for what the site pushes, or the old one has run out.
 *
 * @param {SubscriptionChange} change
 */
async function moveSubscription({ oldSubscription, newSubscription }) {
  if (!oldSubscription) return; // the next page tells the site
  const subscription =
    newSubscription ?? (await worker.registration.pushManager.subscribe(oldSubscription.options).catch(() => null));
  if (!subscription) return;
  await fetch("/accounts/notifications/devices/", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ subscription, before: oldSubscription.endpoint }),
  });
}

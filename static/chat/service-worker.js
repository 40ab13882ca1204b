// @ts-check
/**
 * The chat's service worker: shows a page of its own where the site can't be reached, and keeps what other apps share
 * until a room is chosen for it.
 *
 * Pages come from the site and are kept nowhere: they have what private rooms say. chat/web_app.py serves this file,
 * after a line that sets `offline`; a change of the offline page or its files so makes browsers install it anew.
 */

/**
 * @typedef {Event & { waitUntil: (work: Promise<unknown>) => void }} WorkerEvent
 * @typedef {WorkerEvent & {
 *   request: Request,
 *   preloadResponse: Promise<Response | undefined>,
 *   respondWith: (answer: Promise<Response>) => void,
 * }} WorkerFetch
 * @typedef {object} Worker What this file uses of `ServiceWorkerGlobalScope`.
 * @property {{ version: string, page: string, files: string[] }} offline
 * @property {{ navigationPreload?: { enable: () => Promise<void> } }} registration
 * @property {{ claim: () => Promise<void> }} clients
 * @property {() => Promise<void>} skipWaiting
 */

const worker = /** @type {Worker & EventTarget} */ (/** @type {unknown} */ (self));
const { version, page, files } = worker.offline;

const OFFLINE_CACHE = `offline ${version}`;
const SHARED_CACHE = "shared";
const SHARE_TARGET = "/chat/share-target";
const SHARED_FILES_MAX = 10; // as many as a message may have

worker.addEventListener("install", (event) => {
  /** @type {WorkerEvent} */ (event).waitUntil(install());
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

async function install() {
  const cache = await caches.open(OFFLINE_CACHE);
  await cache.addAll([page, ...files].map((path) => new Request(path, { cache: "reload" })));
  await worker.skipWaiting();
}

async function activate() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith("offline ") && name !== OFFLINE_CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.registration.navigationPreload?.enable();
  await worker.clients.claim();
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
  const filesShared = /** @type {File[]} */ (shared).slice(0, SHARED_FILES_MAX);
  await caches.delete(SHARED_CACHE);
  const cache = await caches.open(SHARED_CACHE);
  await Promise.all(
    filesShared.map((file, number) =>
      cache.put(`/chat/shared/${number}`, new Response(file, { headers: { "Content-Type": file.type } })),
    ),
  );
  const about = { text: sharedText(form), names: filesShared.map((file) => file.name), at: Date.now() };
  await cache.put("/chat/shared", Response.json(about));
  return Response.redirect("/chat/?shared", 303);
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

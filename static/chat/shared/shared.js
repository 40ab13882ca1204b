// @ts-check
/** Text and files that another app has shared with this one, kept by the service worker until a room is chosen. */

const CACHE = "shared"; // as static/chat/service-worker.js has it
const ABOUT = "/chat/shared";
const KEPT_FOR = 10 * 60 * 1000; // milliseconds: later, it would surprise whoever enters a room

/**
 * @typedef {object} Shared
 * @property {string} text
 * @property {string[]} names of the files
 */

/**
 * The shared text and files that wait for a room, if any do.
 *
 * @returns {Promise<Shared | null>}
 */
export async function waiting() {
  const about = await readAbout();
  if (about === null) return null;
  const { text, names, at } = about;
  if (Date.now() - at < KEPT_FOR) return { text, names };
  await forget();
  return null;
}

async function readAbout() {
  try {
    if (!(await caches.has(CACHE))) return null;
    const answer = await caches.match(ABOUT, { cacheName: CACHE });
    return answer ? await answer.json() : null;
  } catch {
    return null; // there are no caches without HTTPS, and the browser may forbid them, as it may cookies
  }
}

/**
 * Take what waits for a room; no other page gets it then.
 *
 * @returns {Promise<{ text: string, files: File[] } | null>}
 */
export async function take() {
  const shared = await waiting();
  if (shared === null) return null;
  const cache = await caches.open(CACHE);
  if (!(await cache.delete(ABOUT))) return null; // another page was faster
  const files = await Promise.all(shared.names.map((name, number) => file(cache, name, number)));
  await forget();
  return { text: shared.text, files: files.filter((one) => one !== null) };
}

export function forget() {
  return caches.delete(CACHE);
}

/**
 * @param {Cache} cache
 * @param {string} name
 * @param {number} number
 */
async function file(cache, name, number) {
  const answer = await cache.match(`/chat/shared/${number}`);
  if (!answer) return null;
  const content = await answer.blob();
  return new File([content], name, { type: content.type });
}

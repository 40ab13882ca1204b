// @ts-check

/**
 * Have the browser keep the chat's service worker. Where there can be none (an old browser, a site without HTTPS, private
 * browsing), all else goes on without it.
 *
 * @returns {Promise<ServiceWorkerRegistration | null>}
 */
export async function registerServiceWorker() {
  if (!isSecureContext || !("serviceWorker" in navigator)) return null;
  try {
    return await navigator.serviceWorker.register("/chat/service-worker.js", { scope: "/chat/" });
  } catch {
    return null;
  }
}

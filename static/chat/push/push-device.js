// @ts-check

import { registerServiceWorker } from "../service-worker-registration.js";

/** @typedef {"on" | "off" | "denied" | "unsupported" | "failed"} PushState */

const SUBSCRIBE_TIMEOUT = 20_000; // milliseconds: a browser that can't reach its push service may try for ever
const WANTED = "notifications: "; // and a person's id: the name under which this browser keeps that they are notified here

/** Notifications in this browser, for one person. */
export class PushDevice {
  /**
   * @param {string} url where the site takes subscriptions
   * @param {string} personId
   */
  constructor(url, personId) {
    this.url = url;
    this.personId = personId;
  }

  /** @returns {Promise<PushState>} */
  async state() {
    if (!isSupported()) return "unsupported";
    if (Notification.permission === "denied") return "denied";
    try {
      const subscription = await this.#subscription();
      if (!subscription) return "off";
      const { endpoints } = await this.#ask();
      return endpoints.includes(subscription.endpoint) ? "on" : "off";
    } catch {
      return "failed";
    }
  }

  /** @returns {Promise<string | null>} */
  async endpoint() {
    return isSupported() ? ((await this.#subscription())?.endpoint ?? null) : null;
  }

  /**
   * Ask for permission, if need be, and have the site notify the person here.
   *
   * @returns {Promise<PushState>}
   */
  async turnOn() {
    if ((await Notification.requestPermission()) !== "granted") return this.state();
    try {
      await this.#tell({ subscription: await this.#subscribe() });
    } catch {
      return "failed";
    }
    keep(this.personId, "on");
    return "on";
  }

  /** @returns {Promise<PushState>} */
  async turnOff() {
    try {
      const subscription = await this.#subscription();
      keep(this.personId, null);
      if (subscription) {
        await this.#tell({ ended: subscription.endpoint });
        await subscription.unsubscribe();
      }
    } catch {
      return "failed";
    }
    return "off";
  }

  /**
   * After another login, say, the site has forgotten this device. It is told again, if the person was notified here
   * before, and nobody is asked anything. Browsers change addresses now and then, too.
   */
  async renew() {
    if (!isSupported() || Notification.permission !== "granted" || !isKept(this.personId)) return;
    try {
      const subscription = await this.#subscribe();
      const { endpoints } = await this.#ask();
      if (!endpoints.includes(subscription.endpoint)) await this.#tell({ subscription });
    } catch {
      // The site can't be reached, or the browser's push service: with the next page, then.
    }
  }

  async #subscribe() {
    const { key } = await this.#ask();
    const registration = await registerServiceWorker();
    if (!registration) throw new Error("no service worker");
    const applicationServerKey = bytesOf(key);
    await active(registration);
    const known = await registration.pushManager.getSubscription();
    if (known && isSameKey(known.options.applicationServerKey, applicationServerKey)) return known;
    await known?.unsubscribe(); // that was for another key: the site's database is another one
    return inTime(registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }));
  }

  async #subscription() {
    const registration = await navigator.serviceWorker.getRegistration("/chat/");
    return (await registration?.pushManager.getSubscription()) ?? null;
  }

  /** @returns {Promise<{ key: string, endpoints: string[] }>} */
  async #ask() {
    const answer = await fetch(this.url);
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  }

  /** @param {object} said */
  async #tell(said) {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch(this.url, { method: "POST", headers, body: JSON.stringify(said) });
    if (!answer.ok) throw new Error(String(answer.status));
  }
}

/**
 * Close the notification of a room: it has been read, here or elsewhere.
 *
 * @param {string} room
 */
export async function closeNotification(room) {
  if (!isSupported()) return;
  const registration = await navigator.serviceWorker.getRegistration("/chat/");
  for (const notification of (await registration?.getNotifications({ tag: room })) ?? []) notification.close();
}

/**
 * Whether this browser shows notifications that the site sends to the person: then pages needn't show any.
 *
 * @param {string} personId
 */
export function isNotified(personId) {
  return isSupported() && Notification.permission === "granted" && isKept(personId);
}

function isSupported() {
  return isSecureContext && "serviceWorker" in navigator && "PushManager" in globalThis && "Notification" in globalThis;
}

/** @param {ServiceWorkerRegistration} registration */
async function active(registration) {
  const worker = registration.active ?? registration.waiting ?? registration.installing;
  while (worker && worker.state !== "activated" && worker.state !== "redundant") {
    await new Promise((changed) => worker.addEventListener("statechange", changed, { once: true }));
  }
}

/**
 * @template Value
 * @param {Promise<Value>} value
 * @returns {Promise<Value>}
 */
function inTime(value) {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("no answer")), SUBSCRIBE_TIMEOUT);
    value.then(resolve, reject);
  });
}

/** @param {string} text in URL-safe base64 */
function bytesOf(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

/**
 * @param {ArrayBuffer | null} known
 * @param {Uint8Array} key
 */
function isSameKey(known, key) {
  return known !== null && String(new Uint8Array(known)) === String(key);
}

/** @param {string} personId */
function isKept(personId) {
  try {
    return localStorage.getItem(WANTED + personId) === "on";
  } catch {
    return false;
  }
}

/**
 * @param {string} personId
 * @param {string | null} value
 */
function keep(personId, value) {
  try {
    if (value === null) localStorage.removeItem(WANTED + personId);
    else localStorage.setItem(WANTED + personId, value);
  } catch {
    // The browser keeps nothing for this site: it holds until the next login.
  }
}

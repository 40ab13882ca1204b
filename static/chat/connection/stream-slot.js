// @ts-check
/**
 * A browser has six connections to a site over HTTP/1.1, and a stream of events takes one for as long as it lasts. All
 * pages of the site in a browser so share four slots for streams: the others are for pages and for what is posted.
 *
 * A slot is a lock of the Web Locks API, with which a browser's pages know of each other. A page that is shown takes one
 * from a page that isn't, and one with something to send takes one from any.
 */

const SLOTS = ["chat-events-1", "chat-events-2", "chat-events-3", "chat-events-4"];
/** Shared by all pages that are shown. */
const SHOWN = "chat-events-shown";
const HIDDEN_FOR = 10_000; // milliseconds

/**
 * @typedef {EventTarget & { visibilityState: string }} Page its document, as far as it is of use here
 *
 * @typedef {object} Told
 * @property {() => void} waits there is no slot now
 * @property {() => void} taken
 * @property {() => void} lost to another page, after it was taken; that is the end
 *
 * @typedef {object} Slot
 * @property {() => void} insist there is something to send: don't wait any longer
 * @property {() => void} leave
 */

/**
 * Takes a slot for a stream, where one is needed.
 *
 * @param {Told} told
 * @param {Page} [page]
 * @param {LockManager} [locks] none for pages that came over plain HTTP from another machine
 * @returns {Slot}
 */
export function takeSlot(told, page = document, locks = navigator.locks) {
  if (sharesConnections()) {
    told.taken();
    return { insist() {}, leave() {} };
  }
  return locks ? new LockedSlot(told, page, locks) : new ShownSlot(told, page);
}

/** Whether all requests to the site share a connection, as in HTTP/2 and HTTP/3. */
function sharesConnections() {
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
  return /** @type {PerformanceResourceTiming[]} */ (entries).some(
    ({ name, nextHopProtocol }) => name.startsWith(`${location.origin}/`) && /^h[23]/.test(nextHopProtocol),
  );
}

/** @param {Page} page */
const isShown = (page) => page.visibilityState === "visible";

/** @type {WeakSet<Page>} the pages that tell others when they are shown */
const telling = new WeakSet();

/** A slot among those of all pages of the site in this browser. */
class LockedSlot {
  #told;
  #page;
  #locks;
  #isTaken = false;
  #free = () => {};
  #waiting = new AbortController();

  /**
   * @param {Told} told
   * @param {Page} page
   * @param {LockManager} locks
   */
  constructor(told, page, locks) {
    this.#told = told;
    this.#page = page;
    this.#locks = locks;
    if (!telling.has(page)) tellWhenShown(page, locks);
    this.#seek();
  }

  insist() {
    this.#rob(true);
  }

  leave() {
    this.#waiting.abort();
    this.#free();
  }

  async #seek() {
    for (const name of SLOTS) if (await this.#ask(name, { ifAvailable: true })) return;
    if (isShown(this.#page) && (await this.#rob(false))) return;
    const { signal } = this.#waiting;
    if (signal.aborted) return;
    this.#told.waits();
    for (const name of SLOTS) this.#ask(name, { signal });
    this.#page.addEventListener("visibilitychange", () => isShown(this.#page) && this.#rob(false), { signal });
  }

  /**
   * Takes the slot of another page.
   *
   * @param {boolean} fromAny also of one that is shown
   */
  async #rob(fromAny) {
    const { held = [] } = await this.#locks.query();
    const shown = new Set(held.filter(({ name }) => name === SHOWN).map(({ clientId }) => clientId));
    const slots = held.filter(({ name }) => SLOTS.includes(name ?? ""));
    const hidden = slots.filter(({ clientId }) => !shown.has(clientId));
    const from = hidden.length > 0 || !fromAny ? hidden : slots;
    const name = from[Math.floor(Math.random() * from.length)]?.name;
    return name !== undefined && this.#ask(name, { steal: true });
  }

  /**
   * Resolves once it is known whether the lock was had.
   *
   * @param {string} name
   * @param {LockOptions} options
   * @returns {Promise<boolean>}
   */
  async #ask(name, options) {
    if (this.#isOver) return this.#isTaken;
    return new Promise((resolve) => {
      let isTaken = false;
      const asked = this.#locks.request(name, options, (lock) => {
        if (lock === null || this.#isOver) return resolve(false);
        isTaken = this.#isTaken = true;
        this.#waiting.abort();
        resolve(true);
        return new Promise((free) => {
          this.#free = () => free(undefined);
          this.#told.taken();
        });
      });
      // Not had before the wait was over, or taken away by another page.
      asked.catch(() => (isTaken ? this.#told.lost() : resolve(false)));
    });
  }

  /** Whether nothing is waited for any more: a slot is taken, or none is needed. */
  get #isOver() {
    return this.#waiting.signal.aborted;
  }
}

/**
 * @param {Page} page
 * @param {LockManager} locks
 */
function tellWhenShown(page, locks) {
  telling.add(page);
  let hide = () => {};
  const tell = () => {
    hide();
    if (!isShown(page)) return;
    const whileShown = new Promise((resolve) => {
      hide = () => resolve(undefined);
    });
    locks.request(SHOWN, { mode: "shared" }, () => whileShown);
  };
  page.addEventListener("visibilitychange", tell);
  tell();
}

/** The slot of a page that can't know of the others: it has one while it is shown, and for some seconds after. */
class ShownSlot {
  #told;
  #page;
  #isTaken = false;
  #over = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Told} told
   * @param {Page} page
   */
  constructor(told, page) {
    this.#told = told;
    this.#page = page;
    page.addEventListener("visibilitychange", () => this.#look(), { signal: this.#over.signal });
    if (isShown(page)) this.insist();
    else queueMicrotask(() => this.#isTaken || told.waits());
  }

  insist() {
    if (this.#isTaken || this.#over.signal.aborted) return;
    this.#isTaken = true;
    this.#told.taken();
    this.#look();
  }

  leave() {
    this.#over.abort();
    clearTimeout(this.#timer);
  }

  #look() {
    clearTimeout(this.#timer);
    if (isShown(this.#page)) this.insist();
    else if (this.#isTaken) this.#timer = setTimeout(() => this.#lose(), HIDDEN_FOR);
  }

  #lose() {
    this.leave();
    this.#told.lost();
  }
}

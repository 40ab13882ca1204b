// @ts-check

import { EventSocket } from "./event-socket.js";
import { Heartbeat } from "./heartbeat.js";
import { siteAnswers } from "./site-answers.js";

// All in milliseconds.
const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
const OPENING_TIMEOUT = 10_000;
const STEADY_AFTER = 5_000;
const FIRST_PROBE = 30_000;
const FIRST_PROBE_AGAIN = 5_000; // where a WebSocket has opened before
const LONGEST_PROBE = 900_000;

/** Attempts to open a WebSocket that fail in a row, while the site answers, before events are tried in its place. */
const SOCKETS_TRIED = 2;
/** The same where a WebSocket has opened before: it is more likely that the server is only coming back. */
const SOCKETS_TRIED_AGAIN = 4;

const LOGGED_OUT = 4401;
const RESTARTING = 1012;

/**
 * How long to wait before the first attempt after a close, in milliseconds: at least, and how much more at most.
 *
 * @type {Record<number, [number, number]>}
 */
const PAUSES = {
  // All who were connected to a server come back at the same time.
  [RESTARTING]: [100, 3_000],
  // A session that was renewed somewhere else (by a change of password, say) has to arrive as a cookie.
  [LOGGED_OUT]: [1_000, 1_000],
};

/** Close codes that trying again cannot cure: a bad room name, and a room that one may not be in. */
const FINAL_CODES = new Set([4400, 4403]);

/**
 * @typedef {"closed" | "connecting" | "open" | "waiting" | "paused" | "refused"} State
 * "closed" before open(), then "connecting", "open", "waiting" to try again, "paused" as long as other pages of the site
 * have all connections for events, or "refused" for good
 *
 * @typedef {Record<string, any>} Frame
 * a JSON object; docs/protocol.md has what may be in it
 */

/**
 * A WebSocket that comes back: exponential backoff from 0.5 s to 30 s with full jitter. After a server's restart it
 * comes back within seconds; when the login has ended it looks once more, as the login may only have been renewed. One
 * that has died in silence is noticed by a heartbeat, and replaced.
 *
 * Where no WebSocket opens though the site answers, server-sent events are tried in turn with it: a proxy may let those
 * through. A page that is connected by events looks for a WebSocket now and then, ever more rarely, and goes back to it
 * when one opens.
 *
 * Events:
 *   "state"  `state` has changed
 *   "frame"  `detail` is one JSON object that the server sent; anything else it sends is passed over
 */
export class Connection extends EventTarget {
  /** @type {State} */
  state = "closed";
  /** While waiting: when the next attempt is due, in milliseconds since the epoch. */
  retryAt = 0;
  /**
   * The code of the last close, null before the first and where it wasn't the server's.
   *
   * @type {number | null}
   */
  closeCode = null;

  /** Whether frames come, or are tried to be had, as events in the place of a WebSocket. */
  byEvents = false;

  #address;
  /** @type {WebSocket | EventSocket | null} */
  #socket = null;
  #socketsOpen = false; // a WebSocket has opened on this page
  #eventsOpen = false; // what has opened last are events
  #blocked = 0; // WebSockets since something opened that failed while the site answered
  #failures = 0;
  #probes = 0; // for a WebSocket since one was open
  #pings = 0;
  #heartbeat = new Heartbeat(
    () => this.send({ ping: ++this.#pings }),
    () => this.renew(),
  );
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #probeTimer;

  /** @param {() => string} address gives the URL of each attempt, so that it can depend on what came before */
  constructor(address) {
    super();
    this.#address = address;
  }

  open() {
    this.byEvents = this.#isEventsTurn;
    let isOpened = false;
    const socket = this.byEvents ? new EventSocket(this.#address()) : new WebSocket(this.#address());
    this.#socket = socket;
    const current = () => socket === this.#socket; // one that was left has nothing more to say
    socket.addEventListener("open", () => {
      isOpened = true;
      if (current()) this.#opened();
    });
    socket.addEventListener(
      "message",
      (event) => current() && this.#received(/** @type {MessageEvent} */ (event).data),
    );
    socket.addEventListener("close", async (event) => {
      if (!isOpened && socket instanceof WebSocket && current() && (await siteAnswers())) this.#blocked += 1;
      if (current()) this.#closed(/** @type {CloseEvent} */ (event).code);
    });
    const connect = () => this.#enter("connecting", OPENING_TIMEOUT, () => socket.close());
    socket.addEventListener("wait", () => current() && this.#pauseForOthers());
    socket.addEventListener("go", () => current() && this.state === "paused" && connect());
    connect();
  }

  /** Try at once instead of waiting; does nothing unless an attempt is being waited for. */
  retryNow() {
    if (this.state === "waiting") this.open();
  }

  /** Leave a connection that may be dead without saying so, and make another; an attempt that waits is made at once. */
  renew() {
    if (this.state !== "open") return this.retryNow();
    // A dead one takes its time to close, and is not listened to any more.
    this.#socket?.close();
    this.#socket = null;
    this.#closed(null);
  }

  /**
   * Send an object as JSON. Returns false, and sends nothing, unless the connection is open.
   *
   * @param {Frame} frame
   * @returns {boolean}
   */
  send(frame) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Something is to be sent: a connection that is paused takes the place of another page's. */
  insist() {
    if (this.state === "paused" && this.#socket instanceof EventSocket) this.#socket.insist();
  }

  #pauseForOthers() {
    this.#probeLater();
    this.#enter("paused");
  }

  get #isEventsTurn() {
    const socketsTried = this.#socketsOpen ? SOCKETS_TRIED_AGAIN : SOCKETS_TRIED;
    return !this.byEvents && this.#blocked >= (this.#eventsOpen ? 1 : socketsTried);
  }

  #opened() {
    this.#heartbeat.beat();
    this.#blocked = 0;
    this.#eventsOpen = this.byEvents;
    if (this.byEvents) {
      this.#probeLater();
    } else {
      this.#socketsOpen = true;
      this.#probes = 0;
    }
    // A server that accepts and closes at once must still be approached ever more slowly.
    this.#enter("open", STEADY_AFTER, () => {
      this.#failures = 0;
    });
  }

  #probeLater() {
    clearTimeout(this.#probeTimer);
    const first = this.#socketsOpen ? FIRST_PROBE_AGAIN : FIRST_PROBE;
    const most = Math.min(LONGEST_PROBE, first * 2 ** this.#probes);
    this.#probes += 1;
    this.#probeTimer = setTimeout(() => this.#probe(), (most * (1 + Math.random())) / 2);
  }

  #probe() {
    if (!this.#isByEvents) return;
    const events = this.#socket;
    const probe = new WebSocket(this.#address());
    const timer = setTimeout(() => probe.close(), OPENING_TIMEOUT);
    probe.addEventListener("close", () => {
      clearTimeout(timer);
      if (events === this.#socket) this.#probeLater();
    });
    probe.addEventListener("open", () => {
      probe.close();
      if (events !== this.#socket || !this.#isByEvents) return;
      events?.close();
      this.open();
    });
  }

  get #isByEvents() {
    return this.byEvents && (this.state === "open" || this.state === "paused");
  }

  /** @param {string} data */
  #received(data) {
    this.#heartbeat.beat();
    const frame = parse(data);
    if (frame !== null && !isPong(frame)) this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
  }

  /** @param {number | null} code */
  #closed(code) {
    this.#heartbeat.stop();
    this.closeCode = code;
    if ((code && FINAL_CODES.has(code)) || (code === LOGGED_OUT && this.#failures > 0)) {
      this.#enter("refused");
      return;
    }
    const delay = this.#pause(code);
    this.#failures += 1;
    this.retryAt = Date.now() + delay;
    this.#enter("waiting", delay, () => this.open());
  }

  /** @param {number | null} code */
  #pause(code) {
    const usual = [0, FIRST_DELAY * 2 ** this.#failures];
    const [least, more] = /** @type {[number, number]} */ ((code && this.#failures === 0 && PAUSES[code]) || usual);
    return least + Math.random() * Math.min(LONGEST_DELAY, more);
  }

  /**
   * Move to a state; `act` runs if it lasts for `lasting` milliseconds.
   *
   * @param {State} state
   * @param {number} [lasting]
   * @param {() => void} [act]
   */
  #enter(state, lasting, act) {
    clearTimeout(this.#timer);
    this.#timer = act && setTimeout(act, lasting);
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}

/**
 * The JSON object in a text frame, or null if there is none.
 *
 * @param {string} data
 * @returns {Frame | null}
 */
function parse(data) {
  try {
    const frame = JSON.parse(data);
    return typeof frame === "object" && !Array.isArray(frame) ? frame : null;
  } catch {
    return null;
  }
}

/**
 * Whether a frame only answers a ping. A server of the version before pings answers by an error about the frame, which
 * concerns nobody: all that this page sends is well-formed.
 *
 * @param {Frame} frame
 * @returns {boolean}
 */
function isPong(frame) {
  if (frame.kind === "error") return frame.error?.code === "invalid_frame" && frame.client_id === undefined;
  return "pong" in frame && !("message" in frame);
}

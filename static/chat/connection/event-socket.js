// @ts-check

import { takeSlot } from "./stream-slot.js";

/** Close code of a connection that is lost, as browsers have it for WebSockets. */
const LOST = 1006;
const NORMAL = 1000;

/**
 * Stands in for a WebSocket where a proxy lets none through: frames come as server-sent events, and each that is sent
 * is a request of its own, one after the other. It has the part of WebSocket's interface that `Connection` uses.
 *
 * Coming back is left to `Connection`, which knows the position.
 *
 * Events beside those of WebSocket:
 *   "wait"  other pages of the site have all the connections that streams may take
 *   "go"    it isn't waited for one any more
 */
export class EventSocket extends EventTarget {
  /** @type {number} */
  readyState = WebSocket.CONNECTING;

  #address;
  #slot;
  /** @type {EventSource | null} */
  #source = null;
  /** @type {Promise<unknown>} the posts so far */
  #posts = Promise.resolve();

  /** @param {string} address of the room's WebSocket */
  constructor(address) {
    super();
    this.#address = eventsAddress(address);
    this.#slot = takeSlot({
      waits: () => this.dispatchEvent(new Event("wait")),
      taken: () => this.#listen(),
      lost: () => this.#end(LOST),
    });
  }

  /** Something is to be sent: wait for a connection no longer. */
  insist() {
    this.#slot.insist();
  }

  /** @param {string} text a frame as JSON */
  send(text) {
    this.#posts = this.#posts.then(() => this.#post(text)).catch(() => this.#end(LOST));
  }

  close() {
    this.#end(NORMAL);
  }

  #listen() {
    this.dispatchEvent(new Event("go"));
    const source = new EventSource(this.#address);
    this.#source = source;
    source.addEventListener("open", () => {
      this.readyState = WebSocket.OPEN;
      this.dispatchEvent(new Event("open"));
    });
    source.addEventListener("message", ({ data }) => this.#receive(data));
    source.addEventListener("close", ({ data }) => this.#end(JSON.parse(data).code));
    source.addEventListener("error", () => this.#end(LOST));
  }

  /** @param {string} text */
  async #post(text) {
    if (this.readyState !== WebSocket.OPEN) return;
    const headers = { "Content-Type": "application/json", Accept: "text/event-stream" };
    const answer = await fetch(this.#address, { method: "POST", headers, body: text });
    if (!answer.ok) throw new Error(`Posting was answered by ${answer.status}`);
    for (const { event, data } of eventsIn(await answer.text())) {
      if (event === "message") this.#receive(data);
      else if (event === "close" && JSON.parse(data).code !== NORMAL) this.#end(JSON.parse(data).code);
    }
  }

  /** @param {string} data */
  #receive(data) {
    if (this.readyState === WebSocket.OPEN) this.dispatchEvent(new MessageEvent("message", { data }));
  }

  /** @param {number} code */
  #end(code) {
    if (this.readyState === WebSocket.CLOSED) return;
    this.readyState = WebSocket.CLOSED;
    this.#source?.close();
    this.#slot.leave();
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

/**
 * The address of a room's events, with the query of its socket.
 *
 * @param {string} address
 */
function eventsAddress(address) {
  const url = new URL(address);
  return `${url.pathname.replace(/^\/ws/, "")}events/${url.search}`;
}

/**
 * The events in the whole text of a stream of this site, where each has one line of data.
 *
 * @param {string} text
 */
function eventsIn(text) {
  return text.split("\n\n").flatMap((block) => {
    const data = /^data: (.*)$/m.exec(block)?.[1];
    return data === undefined ? [] : [{ event: /^event: (.*)$/m.exec(block)?.[1] ?? "message", data }];
  });
}

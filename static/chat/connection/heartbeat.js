// @ts-check

// All in milliseconds. A connection that has died is noticed after 40 s of silence.
const PING_AFTER = 25_000;
const ANSWER_TIMEOUT = 15_000;

/**
 * Notices that a connection has died without saying so. A page can't see the pings of WebSocket's own protocol, so it
 * asks for a sign of life whenever nothing has come for a while. Anything that comes is one.
 */
export class Heartbeat {
  #ping;
  #fail;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {() => void} ping asks the other side for a sign of life
   * @param {() => void} fail is called when none has come
   */
  constructor(ping, fail) {
    this.#ping = ping;
    this.#fail = fail;
  }

  /** The connection is open, or something has come through it. */
  beat() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#ping();
      this.#timer = setTimeout(this.#fail, ANSWER_TIMEOUT);
    }, PING_AFTER);
  }

  /** The connection is gone. */
  stop() {
    clearTimeout(this.#timer);
  }
}

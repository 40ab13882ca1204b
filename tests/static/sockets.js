// @ts-check
/** WebSockets without a network: a test plays the server of each. */

export class FakeSocket extends EventTarget {
  static CONNECTING = 0;
  static OPEN = 1;
  static CLOSED = 3;
  /** @type {FakeSocket[]} all that were made, in order */
  static all = [];

  readyState = 0;
  /** @type {Record<string, any>[]} the frames that came from the page */
  sent = [];
  closedByPage = false;

  /** @param {string} address */
  constructor(address) {
    super();
    this.address = address;
    FakeSocket.all.push(this);
  }

  /** The last one that was made. */
  static get last() {
    const last = FakeSocket.all.at(-1);
    if (!last) throw new Error("No socket was made");
    return last;
  }

  /** Take the place of the browser's own, and forget those of other tests. */
  static install() {
    FakeSocket.all = [];
    globalThis.WebSocket = /** @type {any} */ (FakeSocket);
  }

  /** @param {string} text */
  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closedByPage = true;
    this.readyState = 2;
  }

  /** The server accepts the connection. */
  accept() {
    this.readyState = FakeSocket.OPEN;
    this.dispatchEvent(new Event("open"));
  }

  /**
   * Text comes from the server; an object comes as JSON.
   *
   * @param {unknown} frame
   */
  receive(frame) {
    const data = typeof frame === "string" ? frame : JSON.stringify(frame);
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  /**
   * The connection ends from the other side.
   *
   * @param {number} code
   */
  end(code) {
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code }));
  }
}

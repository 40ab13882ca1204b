// @ts-check
/** Server-sent events without a network: a test plays the server of each. */

export class FakeEventSource extends EventTarget {
  /** @type {FakeEventSource[]} all that were made, in order */
  static all = [];

  closedByPage = false;

  /** @param {string} address */
  constructor(address) {
    super();
    this.address = address;
    FakeEventSource.all.push(this);
  }

  /** The last one that was made. */
  static get last() {
    const last = FakeEventSource.all.at(-1);
    if (!last) throw new Error("No event source was made");
    return last;
  }

  /** Take the place of the browser's own, and forget those of other tests. */
  static install() {
    FakeEventSource.all = [];
    globalThis.EventSource = /** @type {any} */ (FakeEventSource);
  }

  close() {
    this.closedByPage = true;
  }

  accept() {
    this.dispatchEvent(new Event("open"));
  }

  /**
   * An event comes from the server, with its data as JSON.
   *
   * @param {unknown} data
   * @param {string} [event]
   */
  receive(data, event = "message") {
    this.dispatchEvent(new MessageEvent(event, { data: JSON.stringify(data) }));
  }

  /** The connection is lost, or was refused. */
  fail() {
    this.dispatchEvent(new Event("error"));
  }
}

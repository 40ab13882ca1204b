// @ts-check
/** XMLHttpRequests that tests answer. */

/** @type {PretendRequest[]} in the order in which they were sent */
export const requests = [];

export class PretendRequest extends EventTarget {
  upload = new EventTarget();
  status = 0;
  responseText = "";
  aborted = false;
  /** @type {Record<string, string>} */
  headers = {};
  /** @type {FormData | null} */
  body = null;

  /**
   * @param {string} method
   * @param {string} address
   */
  open(method, address) {
    this.line = `${method} ${address}`;
  }

  /**
   * @param {string} name
   * @param {string} value
   */
  setRequestHeader(name, value) {
    this.headers[name] = value;
  }

  /** @param {FormData} body */
  send(body) {
    this.body = body;
    requests.push(this);
  }

  abort() {
    this.aborted = true;
  }

  /**
   * @param {number} loaded
   * @param {number} total
   */
  advance(loaded, total) {
    this.upload.dispatchEvent(Object.assign(new Event("progress"), { loaded, total }));
  }

  /**
   * @param {number} status
   * @param {unknown} answer
   */
  answer(status, answer) {
    this.status = status;
    this.responseText = typeof answer === "string" ? answer : JSON.stringify(answer);
    this.dispatchEvent(new Event("load"));
  }

  fail() {
    this.dispatchEvent(new Event("error"));
  }
}

export function pretendRequests() {
  requests.length = 0;
  Object.assign(globalThis, { XMLHttpRequest: PretendRequest });
}

/**
 * The server's answer about a file that it has taken.
 *
 * @param {string} name
 */
export function taken(name) {
  return { id: `id of ${name}`, name, type: "text/plain", size: 3, url: `/chat/room1/files/1/${name}`, preview: null };
}

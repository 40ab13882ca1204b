// @ts-check
/** A subscription that GraphiQL runs: its results, the newest first, and a connection that comes back. */

/** @import { Memory, Operation, Result, Transport } from "./outcomes.js" */

/** Results that are kept; older ones are counted only. */
export const KEPT = 200;

const FIRST_PAUSE = 500; // milliseconds
const LONGEST_PAUSE = 10_000; // milliseconds
const OPENING_TIMEOUT = 15_000; // milliseconds
const ANNOUNCED_AFTER = 50; // milliseconds

/**
 * @typedef {"connecting" | "open" | "reconnecting" | "ended"} State
 *
 * @typedef {object} Line
 * @property {number} key
 * @property {Date} at
 * @property {Result} [result]
 * @property {string} [note] what happened to the connection
 */

/** Fires "change" when there is something new to show, not more often than one can see, and "end" once. */
export class Subscription extends EventTarget {
  /** @type {State} */
  state = "connecting";
  /** @type {Line[]} the newest first */
  lines = [];
  /** Results so far. */
  count = 0;
  /** Whether it waits until other pages of the site leave it a connection. */
  isPaused = false;
  /** The way of the current connection, or of the last. */
  via = "";

  #operation;
  #headers;
  #choose;
  /** @type {Memory} */
  #memory = {};
  #keys = 0;
  #failures = 0;
  #announced = false;
  #leave = () => {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Operation} operation
   * @param {Record<string, string>} headers
   * @param {() => Transport} choose the transport for each attempt
   */
  constructor(operation, headers, choose) {
    super();
    this.#operation = operation;
    this.#headers = headers;
    this.#choose = choose;
    this.#connect();
  }

  /** Ends it for good. */
  stop() {
    this.#leave();
    this.#end();
  }

  /** Forgets what is shown, not the position. */
  clear() {
    this.lines = [];
    this.count = 0;
    this.#announce();
  }

  #connect() {
    const transport = this.#choose();
    let current = true; // one that was left has nothing more to say
    /** @param {(...arguments_: any[]) => void} act */
    const only =
      (act) =>
      (/** @type {any[]} */ ...told) =>
        current && act(...told);
    const dispose = transport.subscribe(this.#operation, this.#headers, this.#memory, {
      opened: only(() => this.#opened(transport.name)),
      waits: only((isWaiting) => this.#wait(isWaiting)),
      next: only((result) => this.#add({ result })),
      ended: only((problem) => {
        if (typeof problem === "string") this.#add({ note: problem });
        else if (problem) this.#add({ result: problem });
        this.#end();
      }),
      lost: only((reason) => {
        this.#leave();
        this.#reconnect(reason);
      }),
    });
    this.#leave = () => {
      current = false;
      clearTimeout(this.#timer);
      dispose();
    };
    this.#awaitOpening();
  }

  /** @param {boolean} isWaiting */
  #wait(isWaiting) {
    this.isPaused = isWaiting;
    if (isWaiting) clearTimeout(this.#timer);
    else this.#awaitOpening();
    this.#announce();
  }

  #awaitOpening() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#leave();
      this.#reconnect("The server doesn't answer.");
    }, OPENING_TIMEOUT);
  }

  /** @param {string} via */
  #opened(via) {
    clearTimeout(this.#timer);
    this.via = via;
    if (this.state === "reconnecting")
      this.#add({
        note: this.#memory.resumes
          ? "Connected again. All that came meanwhile follows."
          : "Connected again. What came meanwhile isn't shown.",
      });
    this.#failures = 0;
    this.#enter("open");
  }

  /** @param {string} reason */
  #reconnect(reason) {
    if (this.state !== "reconnecting" && this.state !== "connecting")
      this.#add({ note: `${reason} Connecting again …` });
    this.#enter(this.state === "connecting" ? "connecting" : "reconnecting");
    const most = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures++);
    this.#timer = setTimeout(() => this.#connect(), most * (0.5 + Math.random() / 2));
  }

  #end() {
    clearTimeout(this.#timer);
    this.#leave = () => {};
    this.#enter("ended");
    this.dispatchEvent(new Event("end"));
  }

  /** @param {State} state */
  #enter(state) {
    this.state = state;
    this.isPaused = false;
    this.#announce();
  }

  /** @param {{ result?: Result, note?: string }} line */
  #add(line) {
    if (line.result) this.count += 1;
    this.lines = [{ key: ++this.#keys, at: new Date(), ...line }, ...this.lines.slice(0, KEPT - 1)];
    this.#announce();
  }

  /** Many results may come in between. */
  #announce() {
    if (this.#announced) return;
    this.#announced = true;
    setTimeout(() => {
      this.#announced = false;
      this.dispatchEvent(new Event("change"));
    }, ANNOUNCED_AFTER);
  }
}

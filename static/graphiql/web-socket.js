// @ts-check
/** Subscriptions over a WebSocket, by graphql-transport-ws. */

import { siteAnswers } from "../chat/connection/site-answers.js";
import { LOST, RESTARTING } from "./outcomes.js";
import { Recovery } from "./recovery.js";

/** @import { Memory, Operation, Result, Sink } from "./outcomes.js" */

const PING_INTERVAL = 15_000; // milliseconds
const PONG_TIMEOUT = 5_000; // milliseconds
const OPENING_TIMEOUT = 10_000; // milliseconds
const TERMINATED = 4499; // the code with which graphql-ws leaves a socket that answers no ping
const RESTART = 1012;
const GONE = 1006;

export class WebSocketTransport {
  name = "WebSocket";
  /** A WebSocket has opened on this page. */
  hasOpened = false;
  /** WebSockets that failed to open while the site answered. */
  blocked = 0;

  #graphql;
  #url;
  #ask;
  /** @type {Map<string, { client: any, isConnected: boolean }>} one for each set of headers */
  #clients = new Map();

  /**
   * @param {any} graphql what the bundle has of the packages graphql and graphql-ws
   * @param {string} url
   * @param {(operation: Operation, headers: Record<string, string>) => Promise<Result>} ask for a query, over HTTP
   */
  constructor(graphql, url, ask) {
    this.#graphql = graphql;
    this.#url = url;
    this.#ask = ask;
  }

  /**
   * @param {Operation} operation
   * @param {Record<string, string>} headers
   * @param {Memory} memory
   * @param {Sink} sink
   * @returns {() => void}
   */
  subscribe(operation, headers, memory, sink) {
    memory.recovery ??= Recovery.of(this.#graphql, operation);
    const { recovery } = memory;
    memory.resumes = recovery?.unknown.length === 0;
    if (recovery?.unknown.length) this.#locate(recovery, headers);
    let over = false;
    const connection = this.#client(headers);
    if (connection.isConnected) queueMicrotask(() => over || sink.opened());
    const forget = connection.client.on("connected", () => sink.opened());
    /** @param {() => void} tell */
    const finish = (tell) => {
      forget();
      if (!over) tell();
      over = true;
    };
    const dispose = connection.client.subscribe(recovery?.next() ?? operation, {
      next: (/** @type {any} */ result) => over || sink.next(recovery?.take(result) ?? result),
      complete: () => finish(() => sink.ended(null)),
      error: async (/** @type {unknown} */ error) => {
        if (!this.hasOpened && (await siteAnswers())) this.blocked += 1;
        finish(() => report(error, sink));
      },
    });
    return () => {
      finish(() => {});
      dispose();
    };
  }

  /**
   * Asks how far rooms have come that begin with what comes from now on.
   *
   * @param {Recovery} recovery
   * @param {Record<string, string>} headers
   */
  async #locate(recovery, headers) {
    const rooms = recovery.unknown;
    const fields = rooms.map((name, index) => `room${index}: room(name: ${JSON.stringify(name)}) { lastOffset }`);
    const { data } = await this.#ask({ query: `{ ${fields.join(" ")} }` }, headers).catch(() => ({ data: null }));
    for (const [index, name] of rooms.entries()) {
      const room = data?.[`room${index}`];
      if (room) recovery.locate(name, room.lastOffset);
    }
  }

  /** @param {Record<string, string>} headers */
  #client(headers) {
    const key = JSON.stringify(headers);
    const connection = this.#clients.get(key) ?? this.#create(headers);
    this.#clients.set(key, connection);
    return connection;
  }

  /** @param {Record<string, string>} headers a token, say, in the place of the cookie */
  #create(headers) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const client = this.#graphql.createSocketClient({
      url: this.#url,
      connectionParams: headers,
      keepAlive: PING_INTERVAL,
      connectionAckWaitTimeout: OPENING_TIMEOUT,
      retryAttempts: 0, // a subscription comes back by itself, with its position
      on: {
        connected: () => {
          this.hasOpened = connection.isConnected = true;
        },
        closed: () => {
          connection.isConnected = false;
          clearTimeout(timer);
        },
        ping: (/** @type {boolean} */ received) => {
          if (!received) timer = setTimeout(() => client.terminate(), PONG_TIMEOUT);
        },
        pong: (/** @type {boolean} */ received) => {
          if (received) clearTimeout(timer);
        },
      },
    });
    const connection = { client, isConnected: false };
    return connection;
  }
}

/**
 * @param {unknown} error
 * @param {Sink} sink
 */
function report(error, sink) {
  if (Array.isArray(error)) sink.ended({ errors: error });
  else if (isClosing(error)) reportClosing(error, sink);
  else sink.lost(LOST);
}

/**
 * @param {{ code: number, reason: string }} closing
 * @param {Sink} sink
 */
function reportClosing({ code, reason }, sink) {
  const words = `The server closed the connection (${reason ? `${code}: ${reason}` : code}).`;
  if (code === RESTART) sink.lost(RESTARTING);
  else if (code === GONE || code === TERMINATED) sink.lost(LOST);
  else if (code >= 4400) sink.ended(words);
  else sink.lost(words);
}

/**
 * @param {unknown} error
 * @returns {error is CloseEvent}
 */
function isClosing(error) {
  return typeof error === "object" && error !== null && "code" in error && "reason" in error;
}

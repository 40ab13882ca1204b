// @ts-check
/** The WebSocket of GraphiQL's subscriptions: where it is lost, it says so, comes back, and the subscriptions go on. */

// From a script before this one, which comes without types.
const { createClient } = /** @type {any} */ (globalThis).graphqlWs;

const RETRY_MIN = 500; // milliseconds
const RETRY_MAX = 5_000; // milliseconds
const PING_INTERVAL = 15_000; // milliseconds
const PONG_TIMEOUT = 5_000; // milliseconds

/** @typedef {{ next: (value: unknown) => void, error: (error: unknown) => void, complete: () => void }} Sink */

/**
 * A client of graphql-transport-ws, as GraphiQL's fetcher takes it.
 *
 * @param {string} url
 * @param {(text: string) => void} show says how the connection is; nothing where there is nothing to say
 */
export function createSocketClient(url, show) {
  let active = 0; // subscriptions under way
  let lost = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pongTimer;

  const client = createClient({
    url,
    keepAlive: PING_INTERVAL,
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: (/** @type {number} */ retries) =>
      new Promise((resolve) => setTimeout(resolve, Math.min(RETRY_MIN * 2 ** retries, RETRY_MAX))),
    shouldRetry: () => true, // a refused connection, too, which is no close event
    on: {
      connected: () => {
        if (lost) show("Connected again. What came meanwhile isn't shown; ask for it by a position, `after`.");
        lost = false;
      },
      closed: (/** @type {CloseEvent} */ event) => {
        clearTimeout(pongTimer);
        if (active === 0 || lost) return;
        lost = true;
        show(`${describe(event)} Connecting again …`);
      },
      ping: (/** @type {boolean} */ received) => {
        if (!received) pongTimer = setTimeout(() => client.terminate(), PONG_TIMEOUT);
      },
      pong: (/** @type {boolean} */ received) => {
        if (received) clearTimeout(pongTimer);
      },
    },
  });

  return {
    /**
     * @param {unknown} payload
     * @param {Sink} sink
     * @returns {() => void} ends the subscription
     */
    subscribe(payload, sink) {
      let ended = false;
      active += 1;
      const end = () => {
        if (ended) return;
        ended = true;
        active -= 1;
        if (active === 0) {
          lost = false;
          show("");
        }
      };
      const dispose = client.subscribe(payload, {
        next: sink.next,
        complete: () => {
          end();
          sink.complete();
        },
        error: (/** @type {unknown} */ error) => {
          end();
          sink.error(isClosing(error) ? new Error(describe(error)) : error);
        },
      });
      return () => {
        end();
        dispose();
      };
    },
  };
}

/**
 * @param {unknown} error
 * @returns {error is CloseEvent}
 */
function isClosing(error) {
  return typeof error === "object" && error !== null && "code" in error && "reason" in error;
}

/**
 * @param {{ code: number, reason: string }} event
 * @returns {string} what happened, as a sentence
 */
export function describe({ code, reason }) {
  if (code === 1012) return "The server is being restarted.";
  if (code === 1006 || code === 4499) return "The connection was lost.";
  return `The server closed the connection (${reason ? `${code}: ${reason}` : code}).`;
}

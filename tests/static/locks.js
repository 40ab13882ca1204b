// @ts-check
/** The browser's locks, as far as the pages use them, for several pages in one process. */

/**
 * @typedef {{ name: string, clientId: string, mode: string, end: (error?: Error) => void }} Held
 * @typedef {{ name: string, clientId: string, mode: string, grant: () => void }} Pending
 */

/** @type {Held[]} */
let held = [];
/** @type {Pending[]} */
let pending = [];

/** Forget those of other tests. */
export function forgetLocks() {
  [held, pending] = [[], []];
}

function settle() {
  for (const one of pending) {
    const others = held.filter(({ name }) => name === one.name);
    if (others.length > 0 && [one, ...others].some(({ mode }) => mode !== "shared")) continue;
    pending = pending.filter((other) => other !== one);
    one.grant();
  }
}

/**
 * The locks as one page has them.
 *
 * @param {string} clientId
 */
export function locksOf(clientId) {
  return {
    query: async () => ({ held: held.map(({ name, mode, clientId }) => ({ name, mode, clientId })) }),
    /**
     * @param {string} name
     * @param {LockOptions} options
     * @param {(lock: object | null) => unknown} callback
     */
    request: (name, { mode = "exclusive", ifAvailable, steal, signal }, callback) =>
      new Promise((resolve, reject) => {
        const grant = () => {
          const one = {
            name,
            clientId,
            mode,
            /** @param {Error} [error] */
            end: (error) => {
              held = held.filter((other) => other !== one);
              if (error) reject(error);
              settle();
            },
          };
          held.push(one);
          Promise.resolve(callback({ name })).then((value) => {
            if (held.includes(one)) one.end();
            resolve(value);
          });
        };
        if (steal) {
          const robbed = held.filter((one) => one.name === name);
          held = held.filter((one) => one.name !== name);
          grant();
          for (const one of robbed) one.end(new DOMException("Lock broken by another request", "AbortError"));
          return;
        }
        if (ifAvailable && [...held, ...pending].some((one) => one.name === name)) return resolve(callback(null));
        const one = { name, clientId, mode, grant };
        pending.push(one);
        signal?.addEventListener("abort", () => {
          if (!pending.includes(one)) return;
          pending = pending.filter((other) => other !== one);
          reject(new DOMException("Aborted", "AbortError"));
        });
        settle();
      }),
  };
}

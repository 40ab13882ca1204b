// @ts-check

/**
 * The part of the directory's page that lists the rooms whose names have `matching` in them.
 *
 * @param {string} index the address of the directory
 * @param {string} matching
 * @param {AbortSignal} signal
 * @returns {Promise<Element | null>} null if it can't be had now
 */
export async function directory(index, matching, signal) {
  return await directoryAt(`${index}?${new URLSearchParams({ matching })}`, signal);
}

/**
 * The part of a directory's page that lists rooms.
 *
 * @param {string} url of the page
 * @param {AbortSignal} [signal]
 * @returns {Promise<Element | null>} null if it can't be had now
 */
export async function directoryAt(url, signal) {
  try {
    const response = await fetch(url, { signal: signal ?? null });
    if (!response.ok) return null;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return page.querySelector("#directory");
  } catch {
    return null;
  }
}

/** Does the last one of several things that are asked for in a row, once that is some time ago. */
export class Latest {
  #delay;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #controller = new AbortController();

  /** @param {number} delay milliseconds */
  constructor(delay) {
    this.#delay = delay;
  }

  /** @param {(signal: AbortSignal) => void} act is told by the signal when another takes its place */
  do(act) {
    clearTimeout(this.#timer);
    this.#controller.abort();
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    this.#timer = setTimeout(() => act(signal), this.#delay);
  }
}

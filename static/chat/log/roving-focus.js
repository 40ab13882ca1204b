// @ts-check

/** @typedef {{ ArrowUp: number, ArrowDown: number, Home: number, End: number }} Steps */

/**
 * Makes the buttons of all messages one stop of the Tab key, the newest; the arrow keys lead from one to the next.
 *
 * @param {HTMLElement} log gains and loses buttons
 * @param {string} selector of the buttons, whose `tabIndex` is -1 at first
 */
export function roveFocus(log, selector) {
  /** @type {() => HTMLElement[]} */
  const buttons = () =>
    [...log.querySelectorAll(`:scope > * > ${selector}`)].filter((each) => each instanceof HTMLElement);
  /** @type {HTMLElement | undefined} */
  let stop;

  /** @param {HTMLElement | undefined} button */
  const move = (button) => {
    if (button === stop) return;
    if (stop) stop.tabIndex = -1;
    stop = button;
    if (stop) stop.tabIndex = 0;
  };

  new MutationObserver(() => {
    if (stop?.isConnected && stop === document.activeElement) return;
    move(buttons().at(-1));
  }).observe(log, { childList: true });

  log.addEventListener("focusin", ({ target }) => {
    if (target instanceof HTMLElement && target.matches(selector)) move(target);
  });

  log.addEventListener("keydown", (event) => {
    const { target } = event;
    if (!(target instanceof HTMLElement && target.matches(selector))) return;
    const all = buttons();
    const index = all.indexOf(target);
    const next = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    all[next]?.focus();
  });
}

// @ts-check

/** @typedef {{ ArrowUp: number, ArrowDown: number, Home: number, End: number }} Steps */

/**
 * Makes the buttons of all messages one stop of the Tab key, the newest; the arrow keys lead from one to the next, and
 * sideways to other buttons of the same message.
 *
 * @param {HTMLElement} log gains and loses buttons
 * @param {string} selector of the buttons, whose `tabIndex` is -1 at first
 * @param {string} others the selector of the other buttons, whose `tabIndex` is always -1
 */
export function roveFocus(log, selector, others) {
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
    if (!(target instanceof HTMLElement && target.matches(`${selector}, ${others}`))) return;
    const line = Array.from(log.children).find((child) => child.contains(target));
    const own = line?.querySelector(selector);
    const beside = [...(own ? [own] : []), ...(line?.querySelectorAll(others) ?? [])];
    const sideways = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (sideways !== undefined) {
      const to = beside[beside.indexOf(target) + sideways];
      if (to instanceof HTMLElement) to.focus();
      event.preventDefault();
      return;
    }
    const all = buttons();
    const index = own instanceof HTMLElement ? all.indexOf(own) : -1;
    const next = { ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    all[next]?.focus();
  });
}

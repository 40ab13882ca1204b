// @ts-check
/** The subscriptions of GraphiQL's tabs. They go on while another tab is in front. */

import { Subscription } from "./subscription.js";

/** @import { Operation, Result, Transport } from "./outcomes.js" */

/**
 * @typedef {{ id: string, title: string }} Tab
 * @typedef {{ tabs: Tab[], activeTabIndex: number }} Tabs
 * @typedef {{ next: (value: Result) => void, error: (error: unknown) => void, complete: () => void }} Observer
 */

/**
 * GraphiQL ends what runs when one turns to another tab, as it knows of one thing at a time. So it is only lent an
 * observable: to leave a tab is to look away, and to come back is to "run" the tab, which shows what has gone on.
 */
export class Running extends EventTarget {
  /** @type {Map<string, Subscription>} by the id of the tab */
  #subscriptions = new Map();
  #choose;
  #isLeaving = false;
  /** @type {Subscription | null} */
  #returning = null;

  /** @type {Tabs} */
  tabs = { tabs: [], activeTabIndex: 0 };

  /** @param {() => Transport} choose */
  constructor(choose) {
    super();
    this.#choose = choose;
  }

  get #tab() {
    return this.tabs.tabs[this.tabs.activeTabIndex]?.id ?? "";
  }

  /** The subscription whose results are to be shown, if there is one. */
  get current() {
    return this.#subscriptions.get(this.#tab) ?? null;
  }

  /** The tabs behind the one in front in which a subscription goes on. */
  get others() {
    return this.tabs.tabs.filter(({ id }) => id !== this.#tab && this.#isGoingOn(id));
  }

  /** @param {string} id of a tab */
  #isGoingOn(id) {
    const subscription = this.#subscriptions.get(id);
    return subscription !== undefined && subscription.state !== "ended";
  }

  /**
   * Has GraphiQL's own actions leave subscriptions running.
   *
   * @param {Record<string, (...given: any[]) => any>} actions of its store, which looks them up there at each call
   * @param {Tabs} tabs as they are at first
   */
  watch(actions, tabs) {
    this.tabs = tabs;
    const { addTab, changeTab, closeTab, run, stop } = /** @type {any} */ ({ ...actions });
    /** @param {() => void} act */
    const move = (act) => {
      const before = this.#tab;
      this.#isLeaving = true;
      act();
      this.#isLeaving = false;
      if (this.#tab !== before && this.#isGoingOn(this.#tab)) {
        this.#returning = this.current;
        run();
        this.#returning = null;
      }
      this.#changed();
    };
    actions.changeTab = (index) => index === this.tabs.activeTabIndex || move(() => changeTab(index));
    actions.addTab = () =>
      move(() => {
        stop();
        addTab();
      });
    actions.closeTab = (index) => {
      const id = this.tabs.tabs[index]?.id ?? "";
      this.#subscriptions.get(id)?.stop();
      this.#subscriptions.delete(id);
      move(() => closeTab(index));
    };
  }

  /**
   * The observable for GraphiQL in the place of the subscription itself, where it only comes back to a tab.
   *
   * @returns {{ subscribe: (observer: Observer) => { unsubscribe: () => void } } | null}
   */
  returned() {
    return this.#returning && this.#observable(this.#returning);
  }

  /**
   * @param {Operation} operation
   * @param {Record<string, string>} headers
   */
  begin(operation, headers) {
    this.forget();
    const subscription = new Subscription(operation, headers, this.#choose);
    this.#subscriptions.set(this.#tab, subscription);
    subscription.addEventListener("change", () => this.#changed());
    this.#changed();
    return this.#observable(subscription);
  }

  /** The tab in front has something else to show. */
  forget() {
    this.current?.stop();
    this.#subscriptions.delete(this.#tab);
    this.#changed();
  }

  /** @param {Subscription} subscription */
  #observable(subscription) {
    return {
      /** @param {Observer} observer */
      subscribe: (observer) => {
        const end = () => observer.complete();
        subscription.addEventListener("end", end);
        queueMicrotask(() => observer.next({})); // or else it shows that it waits
        return {
          unsubscribe: () => {
            subscription.removeEventListener("end", end);
            if (!this.#isLeaving) subscription.stop();
          },
        };
      },
    };
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

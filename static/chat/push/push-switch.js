// @ts-check

import { find } from "../elements.js";
import { gettext } from "../translation.js";
import { PushDevice } from "./push-device.js";

/** @import { PushState } from "./push-device.js" */

/** Switches notifications on this device on and off. The browser asks only once somebody presses the button. */
export class PushSwitch extends HTMLElement {
  #device = new PushDevice("", "");

  connectedCallback() {
    this.#device = new PushDevice(this.dataset.url ?? "", this.dataset.person ?? "");
    this.#turn("on").onclick = () => this.#change(() => this.#device.turnOn());
    this.#turn("off").onclick = () => this.#change(() => this.#device.turnOff());
    this.#device.state().then((state) => this.#show(state));
  }

  /** @param {() => Promise<PushState>} change */
  async #change(change) {
    const buttons = [this.#turn("on"), this.#turn("off")];
    for (const button of buttons) button.disabled = true;
    const state = await change();
    for (const button of buttons) button.disabled = false;
    this.#show(state);
    if (state === "on" || state === "off") location.reload(); // with the device in the list, or without it
  }

  /** @param {PushState} state */
  async #show(state) {
    this.dataset.state = state;
    find(this, "[role=status]", HTMLElement).textContent = WORDS[state];
    this.#turn("on").hidden = state !== "off" && state !== "failed";
    this.#turn("off").hidden = state !== "on";
    const endpoint = await this.#device.endpoint();
    for (const item of document.querySelectorAll("[data-endpoint]")) {
      const isHere = item instanceof HTMLElement && item.dataset.endpoint === endpoint;
      find(item, ".here", HTMLElement).hidden = !isHere;
    }
  }

  /** @param {"on" | "off"} way */
  #turn(way) {
    return find(this, `[data-turn=${way}]`, HTMLButtonElement);
  }
}

/** @type {Record<PushState, string>} */
const WORDS = {
  on: gettext("You are notified on this device."),
  off: gettext("You are not notified on this device."),
  denied: gettext("Your browser doesn’t let this site notify you. Its settings can change that."),
  unsupported: gettext(
    "This browser can’t show notifications of this site. On an iPhone or iPad, first add the site to the home screen.",
  ),
  failed: gettext("That didn’t work. Please try again in a moment."),
};

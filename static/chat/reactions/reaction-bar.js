// @ts-check

import { element } from "../elements.js";
import { fill, gettext, locales, ngettext } from "../translation.js";

/** @import { ShownReaction } from "./reactions.js" */

/** The selector of the buttons below a message: its reactions, and the one that adds another. */
export const REACTIONS = ".reactions > button";

const listed = new Intl.ListFormat(locales, { type: "conjunction" });

/**
 * Shows the reactions to a message under it, in the element of the message. Buttons stay the same as long as there is
 * their emoji, so that one that has the focus keeps it.
 *
 * @param {Element} line
 * @param {ShownReaction[]} reactions
 * @param {string} readerId
 * @returns {boolean} whether the focus was on a button that is gone
 */
export function showReactions(line, reactions, readerId) {
  const before = line.querySelector(":scope > .reactions");
  const focused = before?.contains(document.activeElement) ?? false;
  if (reactions.length === 0) {
    before?.remove();
    return focused;
  }
  const bar = before ?? newBar();
  const buttons = new Map(Array.from(bar.querySelectorAll("button.reaction"), (one) => [emojiOf(one), one]));
  const shown = reactions.map((reaction) => reactionButton(buttons.get(reaction.emoji), reaction, readerId));
  const gone = [...buttons.values()].filter((button) => !shown.includes(/** @type {HTMLElement} */ (button)));
  for (const button of gone) button.remove();
  for (const [index, button] of shown.entries()) {
    if (bar.children[index] !== button) bar.insertBefore(button, bar.children[index] ?? null);
  }
  if (!before) line.append(bar);
  return focused && !bar.contains(document.activeElement);
}

/**
 * The emoji of a button in the bar; null if it isn't one for a reaction.
 *
 * @param {Element | null} button
 */
export function emojiOf(button) {
  return button?.getAttribute("data-emoji") ?? null;
}

/** Changes in it aren't read out: a crowd would talk over all else. */
function newBar() {
  const bar = element("div", "reactions");
  bar.role = "group";
  bar.ariaLabel = gettext("Reactions");
  bar.ariaLive = "off";
  const add = element("button", "reaction-add quiet");
  add.type = "button";
  add.tabIndex = -1;
  add.ariaLabel = gettext("Add a reaction");
  bar.append(add);
  return bar;
}

/**
 * @param {Element | undefined} before
 * @param {ShownReaction} reaction
 * @param {string} readerId
 */
function reactionButton(before, reaction, readerId) {
  const button = before instanceof HTMLElement ? before : newButton(reaction.emoji);
  button.ariaPressed = String(reaction.own);
  button.title = fill(gettext("%(people)s reacted with %(emoji)s"), {
    people: peopleOf(reaction, readerId),
    emoji: reaction.emoji,
  });
  const count = /** @type {HTMLElement} */ (button.lastElementChild);
  count.textContent = String(reaction.count);
  return button;
}

/** @param {string} emoji */
function newButton(emoji) {
  const button = element("button", "reaction quiet");
  button.type = "button";
  button.tabIndex = -1;
  button.dataset.emoji = emoji;
  button.append(element("span", "emoji", emoji), element("span", "count"));
  return button;
}

/**
 * The names of those who react, the reader first.
 *
 * @param {ShownReaction} reaction
 * @param {string} readerId
 */
export function peopleOf({ count, people, names, own }, readerId) {
  const others = names.filter((_, index) => people[index] !== readerId);
  const named = own ? [gettext("You"), ...others] : others;
  const more = count - named.length;
  if (more > 0) named.push(fill(ngettext("%(count)s other", "%(count)s others", more), { count: more }));
  return listed.format(named);
}

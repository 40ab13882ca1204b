// @ts-check

import { element } from "../elements.js";
import { fill, gettext } from "../translation.js";

/** @import { ShownReaction } from "./reactions.js" */

const QUICK = ["👍", "❤️", "😂", "🎉", "😮", "🙏"];
const NAMES = [
  gettext("Thumbs up"),
  gettext("Heart"),
  gettext("Laughing"),
  gettext("Party"),
  gettext("Surprised"),
  gettext("Thank you"),
];

/**
 * The row at the top of a message's menu: some emoji, and a way to all others.
 *
 * @param {ShownReaction[]} reactions of the message
 * @param {(emoji: string | null) => void} choose null for the choice among all
 */
export function quickReactions(reactions, choose) {
  const row = element("div", "quick-reactions");
  row.role = "group";
  row.ariaLabel = gettext("React");
  for (const [index, emoji] of QUICK.entries()) {
    const button = item(emoji, fill(gettext("React with: %(name)s"), { name: NAMES[index] ?? emoji }), () =>
      choose(emoji),
    );
    button.role = "menuitemcheckbox";
    button.ariaChecked = String(reactions.some((reaction) => reaction.own && reaction.emoji === emoji));
    row.append(button);
  }
  row.append(item("+", gettext("React with another emoji"), () => choose(null)));
  return row;
}

/**
 * @param {string} text
 * @param {string} label
 * @param {() => void} act
 */
function item(text, label, act) {
  const button = element("button", "menu-item", text);
  button.type = "button";
  button.role = "menuitem";
  button.tabIndex = -1;
  button.ariaLabel = label;
  button.title = label;
  button.addEventListener("click", act);
  return button;
}

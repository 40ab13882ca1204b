// @ts-check

import { element } from "../elements.js";

/** @import { ShownReaction } from "./reactions.js" */

const QUICK = ["👍", "❤️", "😂", "🎉", "😮", "🙏"];
const NAMES = ["Thumbs up", "Heart", "Laughing", "Party", "Surprised", "Thank you"];

/**
 * The row at the top of a message's menu: some emoji, and a way to all others.
 *
 * @param {ShownReaction[]} reactions of the message
 * @param {(emoji: string | null) => void} choose null for the choice among all
 */
export function quickReactions(reactions, choose) {
  const row = element("div", "quick-reactions");
  row.role = "group";
  row.ariaLabel = "React";
  for (const [index, emoji] of QUICK.entries()) {
    const button = item(emoji, `React with ${NAMES[index]}`, () => choose(emoji));
    button.role = "menuitemcheckbox";
    button.ariaChecked = String(reactions.some((reaction) => reaction.own && reaction.emoji === emoji));
    row.append(button);
  }
  row.append(item("+", "React with another emoji", () => choose(null)));
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

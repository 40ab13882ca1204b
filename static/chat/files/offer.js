// @ts-check

import { find } from "../elements.js";
import { takeFiles } from "./intake.js";
import { Lightbox } from "./lightbox.js";

/** @import { Composer } from "../composer/composer.js" */
/** @import { ChatOutbox } from "../composer/outbox.js" */
/** @import { ChatLog } from "../log/chat-log.js" */
/** @import { Standing } from "../standing.js" */
/** @import { FileRules, FileTray } from "./file-tray.js" */

/**
 * Puts together what the page of a room does with files.
 *
 * @param {object} parts
 * @param {FileTray} parts.tray
 * @param {Composer} parts.composer
 * @param {ChatOutbox} parts.outbox
 * @param {ChatLog} parts.log
 * @param {Standing} parts.standing
 * @param {HTMLTextAreaElement} parts.input
 * @param {FileRules} rules
 * @param {string} key under which the tab keeps files that are uploaded and not sent
 */
export function offerFiles({ tray, composer, outbox, log, standing, input }, rules, key) {
  const form = find(document, "#chat-composer", HTMLFormElement);
  composer.hasFiles = () => !tray.empty;
  tray.refused = (words) => composer.showError(words);
  tray.token = () => find(document, "[name=csrfmiddlewaretoken]", HTMLInputElement).value;
  tray.left = () => composer.focus();
  tray.begin(rules, key);
  takeFiles(
    {
      room: find(document, "section.room", HTMLElement),
      input,
      chooser: find(form, "#chat-file-chooser", HTMLInputElement),
      button: find(form, "#chat-attach", HTMLButtonElement),
      dropSign: find(document, "#chat-drop", HTMLElement),
    },
    () => !standing.readsOnly && !form.hidden,
    (files) => tray.add(files),
    (words) => composer.showError(words),
  );
  const lightbox = new Lightbox(find(document, "#chat-lightbox", HTMLDialogElement), log);
  new MutationObserver(() => lightbox.check()).observe(log, { childList: true });
  addEventListener("beforeunload", (event) => {
    if (tray.uploading || outbox.uploading) event.preventDefault(); // the browser asks whether to leave
  });
}

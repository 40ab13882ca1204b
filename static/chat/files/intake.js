// @ts-check

import { dialogIsOpen } from "../elements.js";
import { gettext } from "../translation.js";

/**
 * The ways in which files come to the page: chosen by the button, pasted into the input, dropped on the room.
 *
 * @param {object} parts
 * @param {HTMLElement} parts.room
 * @param {HTMLTextAreaElement} parts.input
 * @param {HTMLInputElement} parts.chooser
 * @param {HTMLButtonElement} parts.button
 * @param {HTMLElement} parts.dropSign shown while files are held over the room
 * @param {() => boolean} mayAttach
 * @param {(files: File[]) => void} take
 * @param {(words: string) => void} refuse tells the reader what can't be taken
 */
export function takeFiles({ room, input, chooser, button, dropSign }, mayAttach, take, refuse) {
  button.addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    take([...(chooser.files ?? [])]);
    chooser.value = ""; // the same file may be chosen again
    input.focus();
  });
  input.addEventListener("paste", (event) => {
    const { clipboardData } = event;
    // A piece of a text document comes as text and as its picture; it is meant as text.
    if (!clipboardData || clipboardData.files.length === 0 || clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    if (mayAttach()) take([...clipboardData.files]);
  });
  takeDropped(room, dropSign, mayAttach, (transfer) => {
    const { files, hasFolders } = contentOf(transfer);
    take(files);
    if (hasFolders) refuse(gettext("Folders can’t be attached. Choose the files in them."));
    input.focus();
  });
}

/**
 * The files among what was dropped. A folder comes as a file, too, which can't be read.
 *
 * @param {DataTransfer} transfer
 */
function contentOf({ items }) {
  const dropped = [...items].filter(({ kind }) => kind === "file");
  const single = dropped.filter((item) => !item.webkitGetAsEntry()?.isDirectory);
  const files = single.map((item) => item.getAsFile()).filter((file) => file !== null);
  return { files, hasFolders: single.length < dropped.length };
}

/**
 * @param {HTMLElement} room
 * @param {HTMLElement} sign
 * @param {() => boolean} mayAttach
 * @param {(transfer: DataTransfer) => void} take
 */
function takeDropped(room, sign, mayAttach, take) {
  const isMeant = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
  const takes = () => mayAttach() && !dialogIsOpen();
  room.addEventListener("dragover", (event) => {
    if (!isMeant(event)) return;
    event.preventDefault(); // or the browser would leave the page for the file
    if (event.dataTransfer) event.dataTransfer.dropEffect = takes() ? "copy" : "none";
    sign.hidden = !takes();
  });
  room.addEventListener("dragleave", (event) => {
    if (!(event.relatedTarget instanceof Node && room.contains(event.relatedTarget))) sign.hidden = true;
  });
  room.addEventListener("drop", (event) => {
    sign.hidden = true;
    if (!isMeant(event)) return;
    event.preventDefault();
    if (event.dataTransfer && takes()) take(event.dataTransfer);
  });
}

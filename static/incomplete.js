// @ts-check
/**
 * Says that the page hasn't loaded completely: where one of its scripts or of their modules is missing, or where they
 * don't fit together, as while a release is being put in place. It would stand there without a word, connecting for ever.
 *
 * A script and no module, with styles of its own: it depends on nothing that may be missing, too.
 */

addEventListener("error", sayer(document.currentScript), true); // errors of elements don't bubble

/** @param {HTMLOrSVGScriptElement | null} script has the texts */
function sayer(script) {
  const { text = "", reload = "" } = script?.dataset ?? {};

  /** @param {Event} event */
  return (event) => {
    if (!(isMissing(event) || isBroken(event)) || document.querySelector("#page-incomplete")) return;
    const notice = document.createElement("p");
    notice.id = "page-incomplete";
    notice.role = "alert";
    const link = document.createElement("a");
    link.href = location.href.replace(/#.*/, ""); // with a fragment, it would only scroll
    link.textContent = reload;
    notice.append(text, " ", link);
    Object.assign(notice.style, {
      position: "fixed",
      zIndex: "9",
      inset: "auto 0 0",
      margin: "0",
      padding: "1rem",
      background: "Canvas",
      color: "CanvasText",
      borderTop: "1px solid",
      font: "1rem/1.5 system-ui, sans-serif",
      textAlign: "center",
    });
    (document.querySelector("main") ?? document.body).append(notice);
  };
}

/** @param {Event} event */
function isMissing({ target }) {
  return target instanceof HTMLScriptElement;
}

/**
 * One of the site's scripts has failed before the page was there.
 *
 * @param {Event} event
 */
function isBroken(event) {
  if (!(event instanceof ErrorEvent)) return false;
  return document.readyState !== "complete" && event.filename.startsWith(`${location.origin}/`);
}

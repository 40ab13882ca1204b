/**
 * HTML whose elements have their style in `data-style`: the policy ignores `style` in HTML, and allows what a script
 * sets. The build has Monaco write its lines like this.
 */

/** As `element.innerHTML = html`. */
export function setHTML(element, html) {
  element.innerHTML = html;
  dress(element);
}

/** As `element.insertAdjacentHTML("afterend", html)`. */
export function insertAfter(element, html) {
  element.insertAdjacentHTML("afterend", html);
  dress(element.parentElement);
}

function dress(root) {
  for (const element of root.querySelectorAll("[data-style]")) {
    element.style.cssText = element.dataset.style;
    delete element.dataset.style;
  }
}

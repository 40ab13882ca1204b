/**
 * Monaco and some of React's libraries write `<style>` elements. Each gets the page's nonce, which it bears from
 * before it is in the document: the policy lets no other one in.
 */
const { nonce } = document.querySelector("link[nonce]") ?? {};
const { createElement } = Document.prototype;

Document.prototype.createElement = function (...args) {
  const element = createElement.apply(this, args);
  if (nonce && element instanceof HTMLStyleElement) element.nonce = nonce;
  return element;
};

// @ts-check

/**
 * Tells the style sheet how high the part of the page is that can be seen. Where a phone's keyboard covers the page
 * instead of shrinking it, only the visual viewport knows.
 */
export function followKeyboard() {
  const viewport = window.visualViewport;
  viewport?.addEventListener("resize", () => {
    if (viewport.scale === 1) document.documentElement.style.setProperty("--visible-height", `${viewport.height}px`);
  });
}

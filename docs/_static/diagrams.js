// Draws the Mermaid diagrams of a page, and draws them anew when the page changes between light and dark.
(() => {
  const blocks = [...document.querySelectorAll("pre.mermaid")];
  const texts = blocks.map((block) => block.textContent);
  const darkSystem = matchMedia("(prefers-color-scheme: dark)");
  let drawn;

  const isDark = () => {
    const chosen = document.body.dataset.theme; // Furo's: light, dark, or auto for the system's
    return chosen === "dark" || (chosen !== "light" && darkSystem.matches);
  };

  const draw = async () => {
    const theme = isDark() ? "dark" : "neutral";
    if (theme === drawn) {
      return;
    }
    drawn = theme;
    blocks.forEach((block, number) => {
      block.textContent = texts[number];
      block.removeAttribute("data-processed");
    });
    // Mermaid's own grey behind the labels of lines has too little contrast in the dark.
    const themeVariables = theme === "dark" ? { edgeLabelBackground: "#333333" } : {};
    window.mermaid.initialize({ startOnLoad: false, theme, themeVariables });
    await window.mermaid.run({ nodes: blocks });
  };

  draw();
  new MutationObserver(draw).observe(document.body, { attributes: true, attributeFilter: ["data-theme"] });
  darkSystem.addEventListener("change", draw);
})();

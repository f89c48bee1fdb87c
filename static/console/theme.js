// Runs before the page is painted: the theme the reader chose, else the system's.
(() => {
  const root = document.documentElement;
  const words = { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" };
  const next = { auto: "light", light: "dark", dark: "auto" };
  const chosen = () => {
    try {
      return localStorage.getItem("theme") in words ? localStorage.getItem("theme") : "auto";
    } catch {
      return "auto"; // storage is switched off: the system's theme
    }
  };
  const show = (theme) => {
    if (theme === "auto") root.removeAttribute("data-theme");
    else root.dataset.theme = theme;
    for (const button of document.querySelectorAll("[data-theme-switch]")) button.textContent = words[theme];
  };

  show(chosen());
  document.addEventListener("DOMContentLoaded", () => {
    show(chosen());
    for (const button of document.querySelectorAll("[data-theme-switch]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const theme = next[chosen()];
        try {
          localStorage.setItem("theme", theme);
        } catch {
          // not kept, but shown
        }
        show(theme);
        document.dispatchEvent(new Event("themechange"));
      });
    }
  });
})();

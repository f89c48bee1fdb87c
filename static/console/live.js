// Fragments that htmx replaces keep what the reader had opened; forms marked data-submit-on-change send themselves;
// lists fit a phone.
(() => {
  let open = new Set();
  document.addEventListener("htmx:beforeSwap", (event) => {
    open = new Set([...event.detail.target.querySelectorAll("details[id][open]")].map((element) => element.id));
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    open = new Set();
  });
  // On a phone a row of Django's list becomes a card whose cells are named by their column.
  const nameCells = (table) => {
    const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    for (const row of table.tBodies[0].rows) {
      [...row.cells].forEach((cell, i) => {
        if (i && names[i]) cell.dataset.label = names[i];
      });
    }
    table.classList.add("cards");
  };

  document.addEventListener("change", (event) => {
    event.target.closest("form[data-submit-on-change]")?.requestSubmit();
  });
  document.addEventListener("DOMContentLoaded", () => {
    for (const element of document.querySelectorAll("[data-without-script]")) element.hidden = true;
    for (const element of document.querySelectorAll(".rail nav [aria-current], .steps [aria-current]")) {
      element.scrollIntoView({ block: "nearest", inline: "center" });
    }
    document.querySelectorAll("#result_list").forEach(nameCells);
  });
})();

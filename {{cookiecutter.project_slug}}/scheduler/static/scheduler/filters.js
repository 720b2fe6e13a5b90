"use strict";
// An open filter closes by Escape, by a click elsewhere, and when another one opens (the browser
// sees to the last, where it knows details by name).
(() => {
  const open = () => document.querySelectorAll(".sch-filter[open]");

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const filter of open()) {
      filter.open = false;
      filter.querySelector("summary").focus();
    }
  });
  document.addEventListener("click", (event) => {
    for (const filter of open()) {
      if (!filter.contains(event.target)) filter.open = false;
    }
  });
})();

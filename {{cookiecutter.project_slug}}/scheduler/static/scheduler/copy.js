"use strict";
// Copies the text of the element that a button names by its id. Without this script the buttons
// stay hidden, and the text can be selected as any other.
(() => {
  const SHOWN_FOR = 2000;

  function selected(element) {
    const range = document.createRange();
    range.selectNodeContents(element);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return document.execCommand("copy");
  }

  async function copy(element) {
    // A label of a folded part is no part of the text.
    const texts = [...element.querySelectorAll("pre")].map((pre) => pre.textContent);
    try {
      await navigator.clipboard.writeText(texts.length ? texts.join("") : element.textContent);
      return true;
    } catch {
      return selected(element); // over plain HTTP there is no clipboard
    }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copies]");
    if (!button) return;
    const state = button.nextElementSibling;
    const done = await copy(document.getElementById(button.dataset.copies));
    state.textContent = done ? button.dataset.done : button.dataset.failed;
    setTimeout(() => { state.textContent = ""; }, SHOWN_FOR);
  });
  document.documentElement.classList.add("sch-scripted");
})();

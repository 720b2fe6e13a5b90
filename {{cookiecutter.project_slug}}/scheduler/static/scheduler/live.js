"use strict";
// Keeps every [data-live] element of the page fresh: reads the page again after as many seconds
// and changes only what differs, so that focus, scroll position and open details stay.
(() => {
  const KEY = "scheduler.live";
  const FASTEST = 0.5;

  // The note that all is paused stands above what is live, and on pages where nothing is.
  const regions = () => [...document.querySelectorAll("[data-live][id], #sch-paused")];
  const off = () => sessionStorage.getItem(KEY) === "off";

  function morph(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
      old.replaceWith(fresh);
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.nodeValue !== fresh.nodeValue) old.nodeValue = fresh.nodeValue;
      return;
    }
    for (const name of old.getAttributeNames()) {
      if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    for (const name of fresh.getAttributeNames()) {
      const value = fresh.getAttribute(name);
      if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    const before = [...old.childNodes];
    const after = [...fresh.childNodes];
    after.forEach((node, index) => {
      if (index < before.length) morph(before[index], node);
      else old.append(node);
    });
    before.slice(after.length).forEach((node) => node.remove());
  }

  async function refresh() {
    const response = await fetch(location.href, { headers: { "X-Requested-With": "fetch" } });
    if (!response.ok || response.redirected) throw new Error(`HTTP ${response.status}`);
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const region of regions()) {
      // Rows may move: a ticked box must stay with the row that was ticked.
      if (region.querySelector("tbody input:checked")) continue;
      const same = fresh.getElementById(region.id);
      if (same) morph(region, document.importNode(same, true));
    }
  }

  function control(nav) {
    const box = document.createElement("span");
    const state = document.createElement("span");
    const button = document.createElement("button");
    box.className = "sch-live";
    button.type = "button";
    button.className = "button";
    box.append(state, button);
    nav.append(box);
    const words = nav.dataset; // in the page's language
    const show = (text) => {
      state.textContent = text ?? (off() ? words.liveOff : words.liveOn);
      button.hidden = text === words.liveEnded;
      button.textContent = off() ? words.liveStart : words.liveStop;
    };
    button.addEventListener("click", () => {
      sessionStorage.setItem(KEY, off() ? "on" : "off");
      show();
    });
    show();
    return show;
  }

  async function loop(show, words) {
    for (;;) {
      const waits = regions().map((region) => Number(region.dataset.live)).filter((n) => n > 0);
      if (!waits.length) return show(words.liveEnded);
      const pause = Math.max(FASTEST, Math.min(...waits));
      await new Promise((done) => setTimeout(done, pause * 1000));
      if (off() || document.hidden) continue;
      try {
        await refresh();
        show();
      } catch {
        show(words.liveLost);
      }
    }
  }

  // Where the timeline is wider than the screen, it opens at what is happening now.
  const chart = document.querySelector(".sch-chart");
  if (chart) {
    const frame = chart.parentElement;
    const follow = () => {
      const scrolled = (frame.scrollLeft * chart.viewBox.baseVal.width) / chart.clientWidth;
      document.documentElement.style.setProperty("--sch-scrolled", `${scrolled}px`);
    };
    const middle = frame.getBoundingClientRect().left + frame.clientWidth / 2;
    frame.addEventListener("scroll", follow);
    frame.scrollLeft += chart.querySelector(".sch-now").getBoundingClientRect().left - middle;
  }

  const nav = document.querySelector(".sch-nav");
  if (nav && document.querySelector("[data-live][id]")) loop(control(nav), nav.dataset);
})();

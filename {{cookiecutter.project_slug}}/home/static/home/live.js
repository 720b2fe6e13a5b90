// Read the page anew every two seconds while somebody looks at it.
"use strict";

async function refresh() {
  if (document.hidden) return;
  try {
    const response = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    document.getElementById("board").replaceWith(page.getElementById("board"));
    document.body.classList.remove("offline");
  } catch {
    document.body.classList.add("offline");
  }
}

setInterval(refresh, 2000);
document.addEventListener("visibilitychange", refresh);

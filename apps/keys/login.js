// The script of the page /login: swaps a key for a login, or ends it.
"use strict";
{
  const form = document.querySelector("form");
  const told = document.querySelector("[role=alert]");

  const logIn = async (key) => {
    told.textContent = "";
    try {
      const response = await fetch("/login", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ key }),
      });
      const answer = await response.json();
      if (!response.ok) {
        told.textContent = answer.detail;
      } else if (location.pathname === "/login") {
        location.replace(document.body.dataset.home);
      } else {
        location.reload(); // this page stood in for another one
      }
    } catch {
      told.textContent = "The server does not answer.";
    }
  };

  const logOut = async () => {
    try {
      await fetch("/logout", { method: "POST" });
      location.replace("/login");
    } catch {
      told.textContent = "The server does not answer.";
    }
  };

  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    logIn(form.elements.key.value);
  });
  if (!form) document.querySelector("button")?.addEventListener("click", logOut);
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (key) {
    history.replaceState(null, "", location.pathname + location.search);
    logIn(key);
  }
}

// The script of the page of a share link that asks before it shows its reports: swaps the link for a login.
"use strict";
{
  const form = document.querySelector("form");
  const told = document.querySelector("[role=alert]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    told.textContent = "";
    try {
      const response = await fetch(location.pathname, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ password: form.elements.password?.value ?? "" }),
      });
      if (response.ok) location.replace(document.body.dataset.home);
      else told.textContent = (await response.json()).detail;
    } catch {
      told.textContent = "The server does not answer.";
    }
  });
}

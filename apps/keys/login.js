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

  // Whom a key, or else the login of this browser, stands for; null: nobody.
  const whoIs = async (key) => {
    const response = await fetch("/me", { headers: key ? { Authorization: `Bearer ${key}` } : {} });
    const answer = await response.json();
    if (response.ok) return answer;
    if (response.status === 401 && !key) return null;
    throw new Error(answer.detail);
  };

  const ask = (mine, theirs, key) => {
    const dialog = document.createElement("dialog");
    const question = document.createElement("p");
    question.textContent = `You are logged in as ${mine.name}. Log in as ${theirs.name} instead${
      mine.name === theirs.name ? ", by another key of that name" : ""
    }?`;
    const button = (text, then) => {
      const made = document.createElement("button");
      made.textContent = text;
      made.addEventListener("click", () => {
        dialog.remove();
        then?.();
      });
      return made;
    };
    dialog.append(question, button(`Stay ${mine.name}`), button(`Log in as ${theirs.name}`, () => logIn(key)));
    document.body.append(dialog);
    dialog.showModal();
  };

  // By a link, which any page may have opened: it replaces nobody's login without asking.
  const followLink = async (key) => {
    try {
      const mine = document.body.dataset.login === "none" ? null : await whoIs();
      const theirs = mine?.key_id ? await whoIs(key) : null;
      if (!theirs) logIn(key);
      else if (theirs.key_id === mine.key_id) location.replace(document.body.dataset.home);
      else ask(mine, theirs, key);
    } catch (error) {
      told.textContent = error instanceof TypeError ? "The server does not answer." : error.message;
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
    followLink(key);
  }
}

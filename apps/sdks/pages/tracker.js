/* <script defer src="https://events.shop.example/tracker.js" data-site="shop"></script>
 *
 * data-user="customer-17", data-visitor="f0b3"; without, visitors get one for a day
 * data-hash: the path goes on behind #
 * data-outbound: clicks on links to other hosts are events
 * data-dnt: silent with Do Not Track or Global Privacy Control
 *
 * tjra.track("add_to_cart", {sku: "lamp-3"}), tjra.identify("customer-17"); also before this loads:
 * (window.tjra = window.tjra || []).push(["track", "add_to_cart"])
 *
 * No cookie, nothing stored. Sent twice, an event counts once.
 */
(() => {
  const { src, dataset: options } = document.currentScript;
  const early = window.tjra || [];
  if (early.track) return; // loaded twice
  const silent = "dnt" in options && (navigator.doNotTrack == 1 || navigator.globalPrivacyControl);
  const server = new URL("tracker", src);
  const queue = []; // events as JSON
  let user = options.user;
  let path; // of the last page view
  let timer;
  let failures = 0;

  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const site = JSON.stringify(options.site);
  const body = (events) =>
    `{"site_id":${site},"timezone":"${timeZone}","sent_at":${Date.now()},"events":[${events}]}`;

  const where = () => location.pathname + ("hash" in options ? location.hash.split("?")[0] : "");

  const track = (event_type, properties) => {
    if (silent || queue.length > 99) return;
    queue.push(JSON.stringify({
      event_id: crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join("-"), // on plain http
      timestamp: Date.now(),
      event_type,
      path: where(),
      user_id: user,
      visitor_id: options.visitor,
      properties,
    }));
    timer ??= setTimeout(send);
  };

  const send = async () => {
    const { length } = queue;
    const request = { method: "POST", body: body(queue), credentials: "omit", signal: AbortSignal.timeout?.(2e4) };
    const { status, headers } = await fetch(server, request).catch(() => ({}));
    let pause = 0;
    if (status < 500 && status != 408 && status != 429) {
      queue.splice(0, length); // taken or refused
      failures = 0;
    } else {
      // to 256 s, not all at once
      pause = Math.max(+headers?.get("retry-after") || 0, 2 ** Math.min(failures++, 8) * (1 - Math.random() / 2));
    }
    timer = queue.length ? setTimeout(send, pause * 1e3) : null;
  };

  // If the page stays, they are sent again.
  const leave = () => {
    if (queue.length && !navigator.sendBeacon(server, body(queue)))
      queue.map((event) => navigator.sendBeacon(server, body(event))); // over 64 KiB
  };

  const view = (properties) => {
    if (path != where()) {
      path = where();
      track("page_view", properties);
    }
  };

  const land = () => {
    const properties = { title: document.title, screen: `${screen.width}x${screen.height}` };
    if (document.referrer) properties.referrer = document.referrer.split("?")[0];
    for (const [name, value] of new URLSearchParams(location.search)) {
      if (/^utm_/.test(name)) properties[name] = value;
      if (/c(l|lk|lick)?id$|braid$|sltid$|_fat_id$/i.test(name)) properties.click_id ??= name; // not the id
    }
    view(properties);
  };

  for (const name of ["pushState", "replaceState"]) {
    const original = history[name];
    history[name] = function () {
      original.apply(this, arguments);
      view();
    };
  }
  addEventListener("popstate", () => view());
  addEventListener("pagehide", leave);
  addEventListener("visibilitychange", () => document.hidden && leave());
  addEventListener("pageshow", (event) => {
    if (event.persisted) {
      path = null; // from a cache
      view();
    }
  });
  const click = (event) => {
    const link = event.target.closest?.("a[href]");
    if (event.button < 2 && /^http/.test(link?.protocol) && link.host != location.host)
      track("outbound_click", { url: link.href.split(/[?#]/)[0] });
  };
  if ("outbound" in options) for (const name of ["click", "auxclick"]) addEventListener(name, click, true);

  const tjra = (window.tjra = {
    track,
    identify: (id) => { if (user != (user = id) && id) track("identify"); },
    push: ([name, ...given]) => tjra[name]?.(...given),
  });
  early.forEach(tjra.push);
  if (document.prerendering) document.addEventListener("prerenderingchange", land);
  else land();
})();

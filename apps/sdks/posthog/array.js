/* The script that PostHog's snippet loads: posthog.init("shop", {api_host: "https://events.shop.example"}) and then
 * capture, identify, register and group, sent as by PostHog's own script, and page views; with capture_pageview:
 * "history_change" (or defaults: "2025-05-24") also when a script changes the path of the page.
 *
 * No cookie, nothing stored: a visitor gets an id for a day, which identify links to the user. There are no feature flags; autocapture,
 * session replay and surveys are in the package posthog-js only.
 */
(() => {
  const snippet = window.posthog;
  if (!snippet?._i) return; // loaded twice, or the package is there
  const pages = [];

  const start = (key, options, posthog) => {
    const server = `${options.api_host.replace(/\/$/, "")}/e/`;
    const queue = []; // events until the server has taken them
    let silent = options.opt_out_capturing_by_default;
    let user = options.bootstrap?.distinctID ?? "$posthog_cookieless";
    let identified = !!options.bootstrap?.isIdentifiedID;
    let registered = {};
    let failures = 0;
    let timer;

    const body = () => JSON.stringify({ api_key: key, sent_at: new Date(), batch: queue });

    const send = async () => {
      const { length } = queue;
      const request = { method: "POST", body: body(), credentials: "omit", signal: AbortSignal.timeout?.(2e4) };
      const { status, headers } = await fetch(server, request).catch(() => ({}));
      let pause = 0;
      if (status < 500 && status != 408 && status != 429) {
        queue.splice(0, length); // taken, or refused for good
        failures = 0;
      } else {
        pause = Math.max(+headers?.get("retry-after") || 0, 2 ** Math.min(failures++, 8) * (1 - Math.random() / 2));
      }
      timer = queue.length ? setTimeout(send, pause * 1e3) : null;
    };

    const capture = (event, properties, given = {}) => {
      if (silent || queue.length > 99) return;
      queue.push({
        uuid: crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join("-"), // on plain http
        event,
        distinct_id: user,
        timestamp: given.timestamp ?? new Date(),
        $set: given.$set,
        $set_once: given.$set_once,
        properties: {
          $current_url: location.href,
          $pathname: location.pathname,
          $referrer: document.referrer || undefined,
          $timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
          $lib: "web",
          $is_identified: identified,
          ...registered,
          ...properties,
        },
      });
      timer ??= setTimeout(send);
    };

    const methods = {
      capture,
      identify: (id, $set, $set_once) => {
        const $anon_distinct_id = identified ? undefined : user;
        user = `${id}`;
        identified = true;
        capture("$identify", { $anon_distinct_id }, { $set, $set_once });
      },
      alias: (alias) => capture("$create_alias", { alias }),
      group: (type, id, $group_set) => {
        registered.$groups = { ...registered.$groups, [type]: id };
        capture("$groupidentify", { $group_type: type, $group_key: id, $group_set });
      },
      setPersonProperties: ($set, $set_once) => capture("$set", {}, { $set, $set_once }),
      register: (properties) => { registered = { ...registered, ...properties }; },
      register_once: (properties) => { registered = { ...properties, ...registered }; },
      unregister: (name) => { delete registered[name]; },
      reset: () => { user = "$posthog_cookieless"; identified = false; registered = {}; },
      get_distinct_id: () => user,
      get_property: (name) => registered[name],
      opt_in_capturing: () => { silent = false; },
      opt_out_capturing: () => { silent = true; },
      has_opted_out_capturing: () => !!silent,
      has_opted_in_capturing: () => !silent,
      onFeatureFlags: (callback) => callback([], {}, {}), // a page may wait for them
      init: (...given) => begin(...given),
    };
    for (const name in posthog) if (typeof posthog[name] == "function" && !methods[name]) posthog[name] = () => {};
    Object.assign(posthog, methods, { people: { set: methods.setPersonProperties }, __loaded: true });

    const { capture_pageview: views = true, defaults = "" } = options;
    if (views) capture("$pageview", { title: document.title });
    if (views == "history_change" || (views === true && defaults >= "2025")) pages.push(capture);
    addEventListener("pagehide", () => queue.length && navigator.sendBeacon(server, body()));
    options.loaded?.(posthog);
    for (const [name, ...given] of posthog.splice?.(0) ?? []) methods[name]?.(...given);
    return posthog;
  };

  const begin = (key, options, name) =>
    start(key, options, name && name != "posthog" ? (snippet[name] ??= []) : snippet);

  let path = location.pathname;
  const moved = () => {
    if (path == location.pathname) return;
    path = location.pathname;
    for (const capture of pages) capture("$pageview", { title: document.title });
  };
  for (const name of ["pushState", "replaceState"]) {
    const original = history[name];
    history[name] = function () {
      original.apply(this, arguments);
      moved();
    };
  }
  addEventListener("popstate", moved);
  const given = snippet._i;
  delete snippet._i;
  for (const one of given) begin(...one);
})();

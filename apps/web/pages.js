// Of the pages / and /schema of both apps.
"use strict";
{
  const { host, unlinked } = document.body.dataset;
  // Links to our other app were made of the host that the request named. Behind a proxy that may be the proxy's word
  // for us, and the link would lead elsewhere: then there is none.
  const elsewhere = host && host !== location.host;
  if (elsewhere) {
    for (const link of document.querySelectorAll("a.other")) link.replaceWith(link.textContent);
  }
  // It writes every text as a JSON string where the content type has "json" in it: lines of JSON (NDJSON) are a text as it is.
  const lines = {
    afterLoad({ fn }) {
      const { getSampleSchema } = fn;
      this.fn.getSampleSchema = (schema, type, config, example) =>
        /ndjson/.test(type) && typeof example === "string" ? example : getSampleSchema(schema, type, config, example);
    },
  };
  const data = document.getElementById("document");
  if (data) {
    const spec = JSON.parse(data.textContent);
    if (elsewhere) spec.info.description = unlinked;
    SwaggerUIBundle({
      spec,
      dom_id: "#ui",
      deepLinking: true,
      presets: [SwaggerUIBundle.presets.apis],
      plugins: [lines],
    });
  }
}

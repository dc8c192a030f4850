// The script of the pages / and /schema of both apps.
"use strict";
{
  const { host, unlinked } = document.body.dataset;
  // Links to the other app were made from the request's Host header. A proxy may have replaced it, and the links would
  // be wrong: then remove them.
  const elsewhere = host && host !== location.host;
  if (elsewhere) {
    for (const link of document.querySelectorAll("a.other")) link.replaceWith(link.textContent);
  }
  // Swagger UI writes text as a JSON string if the content type contains "json": leave NDJSON as plain text.
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

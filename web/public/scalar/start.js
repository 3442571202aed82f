// Starts Scalar on the API's page at /schema/scalar (api/documentation.py). Runs before Scalar's own script.

// The page's Content-Security-Policy takes a style element only with the nonce of this response: Scalar makes some without one.
const nonce = document.querySelector("meta[property=csp-nonce]").content;
const createElement = document.createElement.bind(document);
document.createElement = (name, options) => {
  const element = createElement(name, options);
  if (name === "style") element.nonce = nonce;
  return element;
};
// Zod, which Scalar checks documents with, must not make functions from text: the policy refuses that.
globalThis.__zod_globalConfig = { jitless: true };

addEventListener("DOMContentLoaded", () => {
  const reference = document.getElementById("reference");
  Scalar.createApiReference(reference, {
    url: reference.dataset.document,
    // All that would ask another host: fonts, telemetry, the assistant, the client on Scalar's own site.
    withDefaultFonts: false,
    telemetry: false,
    agent: { disabled: true },
    mcp: { disabled: true },
    hideClientButton: true,
    showDeveloperTools: "never",
  });
});

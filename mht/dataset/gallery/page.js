"use strict";
// Draws the twins of #data. Everything from the data is written as text; nothing is ever parsed as HTML.
(() => {
  const PAGE = 20;
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const spaced = (word) => String(word).replaceAll("_", " ");
  const chosen = new Map(data.facets.map((facet) => [facet.kind, new Set()]));
  const ofImage = ["modality", "split"];
  let words = [];
  let found = [];
  let drawn = 0;

  const el = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  };

  // ---- what is asked for

  const texts = new Map();
  for (const image of data.images) {
    const caption = image.caption.map(([text]) => text).join("");
    for (const pair of image.twins.flat()) {
      const parts = [pair.question.join(""), pair.answer, pair.rejected, pair.evidence, pair.pair_id, caption];
      texts.set(pair, parts.filter(Boolean).join("\n").toLowerCase());
    }
  }

  const matches = (image, pair) =>
    [...chosen].every(([kind, values]) => !values.size || values.has((ofImage.includes(kind) ? image : pair)[kind])) &&
    words.every((word) => texts.get(pair).includes(word));

  const search = () => {
    found = [];
    for (const image of data.images) {
      const twins = image.twins.map((twin) => twin.filter((pair) => matches(image, pair)));
      const kept = twins.filter((twin) => twin.length);
      if (kept.length) found.push({ image, twins: kept });
    }
  };

  // ---- an image with its twins

  const tag = (kind, value) => el("span", { class: `tag ${kind} ${kind}-${value}` }, spaced(value));

  const half = (pair) => {
    const [before, span, after] = pair.question;
    const where = span === "" ? "nothing stands here" : `in the twin: ${pair.counterpart || "nothing"}`;
    const polarity = pair.polarity ? el("span", { class: "polarity" }, pair.polarity) : null;
    return el("div", { class: `half ${pair.state}`, "data-pair": pair.pair_id },
      el("h4", {}, spaced(pair.state), polarity),
      el("p", { class: "question", dir: "auto" },
        before, el("mark", { class: pair.state, title: where }, span === "" ? "∅" : span), after),
      el("p", { class: "answer", dir: "auto" }, pair.answer),
      pair.rejected ? el("p", { class: "rejected", dir: "auto" }, el("b", {}, "Rejected answer "), pair.rejected) : null,
      el("code", { class: "id" }, pair.pair_id));
  };

  const twinOf = (twin) => {
    const first = twin[0];
    const told = [...new Set(twin.map((pair) => pair.evidence))];
    const evidence = told.filter((one) => !told.some((other) => other !== one && other.startsWith(one))).join("; ");
    return el("section", { class: "twin" },
      el("h3", {}, tag("type", first.type), tag("form", first.form), tag("risk", first.risk),
        first.strategy ? tag("strategy", first.strategy) : null),
      el("div", { class: twin.length > 1 ? "halves" : "halves single" }, ...twin.map(half)),
      el("p", { class: "why" }, el("b", {}, "Evidence "), evidence, " · ", el("b", {}, "Risk "),
        `${first.risk}: ${first.risk_rule}`));
  };

  const captionOf = (image) =>
    el("details", { class: "caption", open: byId("captions").checked },
      el("summary", {}, "Caption"),
      el("p", { dir: "auto" }, ...image.caption.map(([text, presence]) =>
        presence ? el("span", { class: `fact ${presence}`, title: presence }, text) : text)));

  const card = ({ image, twins }) => {
    const kind = image.modality === "unsaid" ? "image" : spaced(image.modality);
    const picture = el("img", {
      src: image.src, alt: `${kind} ${image.id}`, width: image.width, height: image.height, loading: "lazy",
    });
    const zoom = el("button", { type: "button", class: "zoom", "aria-label": `Enlarge ${kind} ${image.id}` }, picture);
    zoom.addEventListener("click", () => enlarge(picture));
    const facts = [kind, image.split, `${image.width} × ${image.height} px`, image.licence];
    if (image.smaller) facts.push("shown smaller than stored");
    return el("article", { class: "card", tabindex: "-1", "aria-label": `${kind} ${image.id}` },
      el("div", { class: "side" }, zoom,
        el("p", { class: "about" }, el("code", {}, image.id), el("br"), facts.filter(Boolean).join(" · ")),
        captionOf(image)),
      el("div", { class: "twins" }, ...twins.map(twinOf)));
  };

  const enlarge = (picture) => {
    const dialog = byId("picture");
    const large = dialog.querySelector("img");
    large.src = picture.src;
    large.alt = picture.alt;
    dialog.showModal();
  };

  // ---- the list

  const more = () => {
    const next = found.slice(drawn, drawn + PAGE);
    byId("cards").append(...next.map(card));
    drawn += next.length;
    const left = found.length - drawn;
    byId("more").hidden = left === 0;
    byId("more").textContent = `Show ${Math.min(PAGE, left)} more of ${left}`;
  };

  const draw = () => {
    search();
    drawn = 0;
    byId("cards").replaceChildren();
    more();
    const count = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
    const pairs = (list) => list.reduce((sum, { twins }) => sum + twins.flat().length, 0);
    byId("status").textContent = found.length
      ? `${count(pairs(found), "pair")} on ${count(found.length, "image")} of ${data.images.length.toLocaleString("en")}`
      : "No pair of the sample fits. Reset the filters to see all of them.";
  };

  // ---- the filters, kept in the address so that a view can be handed on

  const remember = () => {
    const asked = new URLSearchParams();
    if (words.length) asked.set("q", words.join(" "));
    for (const [kind, values] of chosen) if (values.size) asked.set(kind, [...values].join(","));
    const text = asked.toString();
    history.replaceState(null, "", text ? `#${text}` : "#gallery");
  };

  const recall = () => {
    const asked = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
    byId("search").value = asked.get("q") || "";
    words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const [kind, values] of chosen) {
      values.clear();
      for (const value of (asked.get(kind) || "").split(",").filter(Boolean)) values.add(value);
    }
    for (const box of byId("facet-list").querySelectorAll("input")) box.checked = chosen.get(box.name).has(box.value);
  };

  const changed = () => {
    remember();
    draw();
  };

  const facetOf = ({ kind, words: values }) =>
    el("fieldset", {}, el("legend", {}, kind), ...values.map(([value, count]) =>
      el("label", { class: "chip" },
        el("input", { type: "checkbox", name: kind, value }), el("span", {}, `${spaced(value)} `, el("small", {}, String(count))))));

  byId("facet-list").append(...data.facets.map(facetOf));
  byId("facet-list").addEventListener("change", ({ target }) => {
    chosen.get(target.name)[target.checked ? "add" : "delete"](target.value);
    changed();
  });
  byId("search").addEventListener("input", ({ target }) => {
    words = target.value.toLowerCase().split(/\s+/).filter(Boolean);
    changed();
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("filters").addEventListener("reset", () => {
    const captions = byId("captions").checked;
    words = [];
    for (const values of chosen.values()) values.clear();
    setTimeout(() => { byId("captions").checked = captions; });
    changed();
  });
  byId("more").addEventListener("click", more);
  window.addEventListener("hashchange", () => {
    if (location.hash.includes("=")) {
      recall();
      draw();
    }
  });

  const showCaptions = () => {
    for (const caption of document.querySelectorAll(".caption")) caption.open = byId("captions").checked;
  };
  byId("captions").addEventListener("change", showCaptions);

  // ---- quarantine

  const reasons = [...document.querySelectorAll(".reason")];
  byId("choose").hidden = reasons.length < 2;
  for (const reason of reasons) {
    byId("reason").append(el("option", { value: reason.dataset.reason }, spaced(reason.dataset.reason)));
  }
  byId("reason").addEventListener("change", ({ target }) => {
    for (const reason of reasons) {
      reason.hidden = target.value !== "" && reason.dataset.reason !== target.value;
      reason.open = reason.dataset.reason === target.value;
    }
  });

  // ---- keys

  const step = (by) => {
    const cards = [...document.querySelectorAll(".card")];
    const at = cards.findIndex((one) => one.contains(document.activeElement));
    const next = at < 0 ? (by > 0 ? 0 : cards.length - 1) : at + by;
    if (next >= drawn && drawn < found.length) {
      more();
      step(by);
    } else if (cards[next]) {
      cards[next].focus({ preventScroll: true });
      cards[next].scrollIntoView({ block: "start" });
    }
  };

  const keys = {
    j: () => step(1),
    k: () => step(-1),
    "/": () => byId("search").focus(),
    c: () => byId("captions").click(),
    r: () => byId("reset").click(),
    "?": () => byId("help").showModal(),
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input[type=search], select");
    if (typing && event.key === "Escape") event.target.blur();
    if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (Object.hasOwn(keys, event.key)) {
      event.preventDefault();
      keys[event.key]();
    }
  });
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  if (window.matchMedia("(max-width: 60rem)").matches) byId("facets").open = false;

  recall();
  draw();
})();

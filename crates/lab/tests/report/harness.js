// Measures the report in the frame and writes what it found, as JSON, for the test to read.
const frame = document.querySelector("iframe");
frame.addEventListener("load", () => {
  const page = frame.contentWindow;
  const doc = frame.contentDocument;
  const shown = (e) => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && box.height > 0;
  };
  const parse = (color) => (color.match(/[\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((c) => {
      c /= 255;
      return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const paper = (e) => {
    for (; e; e = e.parentElement) {
      const color = parse(page.getComputedStyle(e).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const contrast = (a, b) => {
    const [x, y] = [luminance(a) + 0.05, luminance(b) + 0.05];
    return Math.max(x, y) / Math.min(x, y);
  };
  const faint = [];
  for (const e of doc.querySelectorAll("body *")) {
    if (e.closest("svg") || !shown(e)) continue;
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!own) continue;
    const value = contrast(parse(page.getComputedStyle(e).color), paper(e));
    if (value < 4.5) faint.push(`${e.tagName}.${e.className}: ${value.toFixed(2)}`);
  }
  const wide = [];
  for (const e of doc.querySelectorAll("body *")) {
    const scrolls = e.closest(".scroll, pre, svg, .skip, thead");
    if (!scrolls && e.getBoundingClientRect().right > page.innerWidth + 1) wide.push(e.outerHTML.slice(0, 80));
  }
  const text = doc.querySelector("figure svg text");
  const result = {
    problems: page.problems,
    width: doc.documentElement.scrollWidth,
    inner: page.innerWidth,
    figures: [...doc.querySelectorAll("figure svg[role=img][aria-label]")].filter(shown).length,
    captions: [...doc.querySelectorAll("figcaption")].filter(shown).length,
    downloads: [...doc.querySelectorAll("a[download]")].map((a) => a.download),
    headings: [...doc.querySelectorAll("h1, h2")].map((h) => h.textContent),
    unlabelled: [...doc.querySelectorAll("table")].filter((t) => !t.caption).length,
    unreachable: [...doc.querySelectorAll(".scroll")].filter((s) => s.tabIndex !== 0).length,
    broken: [...doc.querySelectorAll("a[href^='#']")].filter((a) => !doc.getElementById(a.getAttribute("href").slice(1))).length,
    twice: [...doc.querySelectorAll("[id]")].map((e) => e.id).filter((id, i, all) => all.indexOf(id) !== i),
    verdicts: [...doc.querySelectorAll("td .verdict")].map((v) => v.textContent),
    paper: page.getComputedStyle(doc.body).backgroundColor,
    ink: text ? page.getComputedStyle(text).fill : "",
    faint,
    wide,
  };
  const out = document.createElement("pre");
  out.id = "result";
  out.textContent = "RESULT" + JSON.stringify(result) + "END";
  document.body.append(out);
});

function start(id) {
  var div = document.getElementById(id), begun = false, drawnWidth = 0;
  var figure = JSON.parse(document.getElementById(id + "-data").textContent), layout = figure.layout, base = layout.height || 420;
  var pen = document.createElement("canvas").getContext("2d");
  function narrow() { return div.clientWidth < 560; }
  // About what the legend will take, so that nothing moves when the chart is drawn: its entries fill lines of 23 pixels.
  function legendRoom() {
    if (!layout.showlegend) { return 0; }
    var lines = 1, x = 0;
    pen.font = (narrow() ? 12 : 13) + "px " + layout.font.family;
    figure.data.concat(layout.shapes || []).forEach(function (entry) {
      if (!entry.name || entry.showlegend === false) { return; }
      var width = 45 + pen.measureText(entry.name).width;
      if (x > 0 && x + width > div.clientWidth) { lines++; x = 0; }
      x += width;
    });
    return 23 * lines + 7;
  }
  function legendHeight() {
    var box = div.querySelector(".legend .bg");
    return box ? box.getBoundingClientRect().height : 0;
  }
  function style(width) {
    layout.dragmode = narrow() ? false : "zoom";
    layout.font.size = narrow() ? 12 : 13;
    layout.margin.l = narrow() ? 40 : 56;
    layout.margin.r = narrow() ? 8 : 16;
    layout.width = width;
    // Names of bars that are folded into lines would overlap when they are turned.
    figure.data.forEach(function (trace) {
      trace.folded = trace.folded || trace.x;
      if (trace.type !== "bar" || !trace.folded.some(function (name) { return name.indexOf("<br>") >= 0; })) { return; }
      trace.x = !narrow() ? trace.folded : trace.folded.map(function (name) { return name.replace(/-<br>/g, "-").replace(/<br>/g, " "); });
      layout.xaxis.tickangle = narrow() ? -90 : "auto";
    });
    if (layout.legend) { layout.legend.font.size = layout.font.size; }
  }
  // A legend of many lines makes the picture taller instead of the plot flatter.
  function draw(width) {
    if (!width || width === drawnWidth) { return; }
    drawnWidth = width;
    style(width);
    layout.height = base * 2;
    Plotly.react(div, figure.data, layout, { displaylogo: false, displayModeBar: narrow() || window.nullTextStatic ? false : "hover", modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"] })
      .then(function () {
        layout.height = Math.round(base + legendHeight());
        return Plotly.relayout(div, { height: layout.height });
      })
      .then(function () { div.style.minHeight = base + "px"; div.setAttribute("data-drawn", "1"); });
  }
  function fit() { draw(div.clientWidth); }
  // A report keeps plotly.js as text, which costs nothing until the first chart needs it.
  function library() {
    var text = document.getElementById("plotly-js");
    if (window.Plotly || !text) { return; }
    var script = document.createElement("script");
    script.textContent = text.textContent;
    document.head.appendChild(script);
  }
  function begin() {
    if (begun) { return; }
    // Until the page has been read to its end, the text of plotly.js may be there in part.
    if (!window.Plotly && document.readyState === "loading") { document.addEventListener("DOMContentLoaded", begin); return; }
    library();
    if (!window.Plotly) {
      // A stand-in waits for whoever loads plotly.js, and stays if nobody does.
      if (!div.firstChild) { div.textContent = "This chart needs plotly.js, which this page has not loaded."; return; }
      (window.nullTextWaiting = window.nullTextWaiting || []).push(begin);
      return;
    }
    begun = true;
    div.textContent = "";
    // The title stands above the plot as HTML, where it can wrap.
    delete layout.title;
    if (!div.parentNode.querySelector(".nt-chart-title")) {
      var title = document.createElement("div");
      title.className = "nt-chart-title";
      title.style.cssText = "font:600 16px/1.35 " + layout.font.family + ";color:" + layout.font.color + ";margin:0 0 4px";
      title.textContent = div.getAttribute("aria-label");
      div.parentNode.insertBefore(title, div);
    }
    layout.margin.t = 12;
    layout.autosize = false;
    // The page's own colour, which a dark page inverts.
    layout.paper_bgcolor = layout.plot_bgcolor = "rgba(0,0,0,0)";
    layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: "rgba(68,68,68,.3)", activecolor: "rgba(68,68,68,.7)" };
    fit();
    if (window.ResizeObserver) { new ResizeObserver(fit).observe(div); } else { window.addEventListener("resize", fit); }
  }
  // Paper takes about 680 pixels in width.
  window.addEventListener("beforeprint", function () { begin(); if (begun) { draw(Math.min(div.clientWidth, 680)); } });
  window.addEventListener("afterprint", function () { if (begun) { fit(); } });
  if (window.nullTextStatic || !window.IntersectionObserver) { begin(); return; }
  if (!div.firstChild) { div.style.minHeight = base + legendRoom() + "px"; }
  // Drawn when it comes near: a screen above or below what is seen.
  new IntersectionObserver(function (entries, watcher) {
    if (entries.some(function (entry) { return entry.isIntersecting; })) { watcher.disconnect(); begin(); }
  }, { rootMargin: "100% 0px" }).observe(div);
}

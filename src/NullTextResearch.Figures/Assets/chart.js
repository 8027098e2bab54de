function start(id) {
  var div = document.getElementById(id);
  if (!window.Plotly) {
    // A stand-in waits for whoever loads plotly.js, and stays if nobody does.
    if (!div.firstChild) { div.textContent = "This chart needs plotly.js, which this page has not loaded."; return; }
    (window.nullTextWaiting = window.nullTextWaiting || []).push(function () { start(id); });
    return;
  }
  div.textContent = "";
  var figure = JSON.parse(document.getElementById(id + "-data").textContent);
  var layout = figure.layout, base = layout.height || 420, drawnWidth = 0;
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
  function narrow() { return div.clientWidth < 560; }
  function legendHeight() {
    var box = div.querySelector(".legend .bg");
    return box ? box.getBoundingClientRect().height : 0;
  }
  function style() {
    layout.dragmode = narrow() ? false : "zoom";
    layout.font.size = narrow() ? 12 : 13;
    layout.margin.l = narrow() ? 40 : 56;
    layout.margin.r = narrow() ? 8 : 16;
    layout.width = div.clientWidth;
    if (layout.legend) { layout.legend.font.size = layout.font.size; }
  }
  // A legend of many lines makes the picture taller instead of the plot flatter.
  function draw() {
    if (!div.clientWidth || div.clientWidth === drawnWidth) { return; }
    drawnWidth = div.clientWidth;
    style();
    layout.height = base * 2;
    Plotly.react(div, figure.data, layout, { displaylogo: false, displayModeBar: narrow() || window.nullTextStatic ? false : "hover", modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"] })
      .then(function () {
        layout.height = Math.round(base + legendHeight());
        return Plotly.relayout(div, { height: layout.height });
      })
      .then(function () { div.setAttribute("data-drawn", "1"); });
  }
  draw();
  if (window.ResizeObserver) { new ResizeObserver(draw).observe(div); } else { window.addEventListener("resize", draw); }
}

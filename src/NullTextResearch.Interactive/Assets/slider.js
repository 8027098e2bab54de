function (box) {
  // Without this script all frames stand side by side; with it one is shown, chosen by one slider per axis.
  var axes = JSON.parse(box.getAttribute("data-say"));
  var frames = Array.prototype.slice.call(box.querySelectorAll("[data-at]"));
  var at = axes.map(function (axis) { return axis.start; });
  function show() {
    var key = at.join(",");
    frames.forEach(function (frame) { frame.style.display = frame.getAttribute("data-at") === key ? "" : "none"; });
  }
  axes.forEach(function (axis, i) {
    var bar = document.createElement("label"), name = document.createElement("span");
    var range = document.createElement("input"), value = document.createElement("output");
    bar.className = "nt-bar";
    name.textContent = axis.name;
    range.type = "range"; range.min = 0; range.max = axis.labels.length - 1; range.step = 1;
    range.setAttribute("aria-label", axis.name);
    function set() { at[i] = +range.value; value.textContent = axis.labels[at[i]]; range.setAttribute("aria-valuetext", axis.labels[at[i]]); show(); }
    range.value = axis.start;
    range.addEventListener("input", set);
    // Keys belong to the slider, not to the notebook's shortcuts.
    range.addEventListener("keydown", function (event) { event.stopPropagation(); });
    bar.appendChild(name); bar.appendChild(range); bar.appendChild(value);
    box.insertBefore(bar, box.querySelector(".nt-note"));
    set();
  });
}

function (box) {
  // Without this script all pictures stand in a table; with it one is shown, chosen by one slider per axis.
  var axes = JSON.parse(box.getAttribute("data-say")), table = box.querySelector(".nt-strip");
  var cells = Array.prototype.slice.call(table.querySelectorAll("td")), frames = {}, shown = null;
  var row = document.createElement("div"), at = axes.map(function (axis) { return axis.start; });
  row.className = "nt-row";
  function figure(cell) {
    var picture = cell.querySelector("img").cloneNode(), name = document.createElement("figcaption"), whole = document.createElement("figure");
    picture.removeAttribute("height"); picture.width = cell.getAttribute("data-large");
    name.textContent = cell.getAttribute("data-name");
    whole.appendChild(picture); whole.appendChild(name); row.appendChild(whole);
    return { picture: picture, name: name };
  }
  cells.forEach(function (cell) {
    if (cell.hasAttribute("data-at")) { frames[cell.getAttribute("data-at")] = cell; } else { figure(cell); }
  });
  shown = figure(frames[at.join(",")]);
  shown.picture.className = "nt-shown";
  function show() {
    var cell = frames[at.join(",")];
    shown.picture.src = cell.querySelector("img").src;
    shown.picture.alt = shown.name.textContent = cell.getAttribute("data-name");
  }
  box.insertBefore(row, table);
  axes.forEach(function (axis, i) {
    var bar = document.createElement("label"), name = document.createElement("span");
    var range = document.createElement("input"), value = document.createElement("output");
    bar.className = "nt-bar";
    name.textContent = axis.name;
    range.type = "range"; range.min = 0; range.max = axis.labels.length - 1; range.step = 1; range.value = axis.start;
    range.setAttribute("aria-label", axis.name);
    function set() { at[i] = +range.value; value.textContent = axis.labels[at[i]]; range.setAttribute("aria-valuetext", axis.labels[at[i]]); show(); }
    range.addEventListener("input", set);
    // Keys belong to the slider, not to the notebook's shortcuts.
    range.addEventListener("keydown", function (event) { event.stopPropagation(); });
    bar.appendChild(name); bar.appendChild(range); bar.appendChild(value);
    box.insertBefore(bar, table);
    set();
  });
  table.style.display = "none";
}

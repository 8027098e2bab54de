function (box) {
  // Without this script every map stands beside its word; with it the words of the prompt choose the map.
  var strip = box.querySelector(".nt-strip");
  var figures = Array.prototype.slice.call(strip.querySelectorAll("td"));
  var row = document.createElement("div"), picture = figures[0].querySelector("img").cloneNode(), chosen = +box.getAttribute("data-say");
  picture.removeAttribute("height"); picture.width = figures[0].getAttribute("data-large");
  row.className = "nt-pick"; row.setAttribute("role", "group");
  var buttons = figures.map(function (figure, i) {
    var button = document.createElement("button");
    button.type = "button"; button.textContent = figure.getAttribute("data-name");
    button.addEventListener("click", function () { chosen = i; show(i); });
    button.addEventListener("mouseenter", function () { show(i); });
    row.appendChild(button);
    return button;
  });
  row.addEventListener("mouseleave", function () { show(chosen); });
  function show(i) {
    var source = figures[i].querySelector("img");
    picture.src = source.src; picture.alt = source.alt;
    buttons.forEach(function (b, k) { b.setAttribute("aria-pressed", k === i); });
  }
  var note = document.createElement("div");
  note.className = "nt-note"; note.textContent = "Point at a word: bright is where the picture attends to it.";
  box.insertBefore(row, strip); box.insertBefore(picture, strip); box.insertBefore(note, strip);
  strip.style.display = "none";
  show(chosen);
}

function (box) {
  // Without this script the pictures stand in a table; with it two of them share one place and a line divides them.
  var strip = box.querySelector(".nt-strip");
  var figures = Array.prototype.slice.call(strip.querySelectorAll("td"));
  var names = figures.map(function (f) { return f.getAttribute("data-name"); });
  var split = document.createElement("div"), line = document.createElement("div");
  var right = figures[0].querySelector("img").cloneNode(), left;
  var chosen = [0, figures.length - 1], share = 50;
  right.removeAttribute("height"); right.width = figures[0].getAttribute("data-large");
  left = right.cloneNode();
  split.className = "nt-split"; line.className = "nt-line"; left.className = "nt-over";
  split.setAttribute("role", "slider"); split.tabIndex = 0;
  split.setAttribute("aria-label", "divider between two pictures"); split.setAttribute("aria-valuemin", 0); split.setAttribute("aria-valuemax", 100);
  function draw() {
    left.src = figures[chosen[0]].querySelector("img").src; left.alt = names[chosen[0]];
    right.src = figures[chosen[1]].querySelector("img").src; right.alt = names[chosen[1]];
    left.style.clipPath = "inset(0 " + (100 - share) + "% 0 0)";
    line.style.left = share + "%";
    split.setAttribute("aria-valuenow", Math.round(share));
  }
  function move(event) {
    var area = split.getBoundingClientRect();
    share = Math.max(0, Math.min(100, 100 * (event.clientX - area.left) / area.width));
    draw();
  }
  split.addEventListener("pointerdown", function (event) { split.setPointerCapture(event.pointerId); move(event); event.preventDefault(); split.focus({ preventScroll: true }); });
  split.addEventListener("pointermove", function (event) { if (split.hasPointerCapture(event.pointerId)) { move(event); } });
  split.addEventListener("keydown", function (event) {
    if (event.key === "ArrowLeft") { share = Math.max(0, share - 5); } else if (event.key === "ArrowRight") { share = Math.min(100, share + 5); } else { return; }
    event.preventDefault(); event.stopPropagation(); draw();
  });
  function picker(side, label) {
    var row = document.createElement("div"), head = document.createElement("span");
    row.className = "nt-pick"; head.textContent = label; head.style.minWidth = "3em"; row.appendChild(head);
    var buttons = names.map(function (name, i) {
      var button = document.createElement("button");
      button.type = "button"; button.textContent = name;
      button.addEventListener("click", function () { chosen[side] = i; mark(); draw(); });
      row.appendChild(button);
      return button;
    });
    function mark() { buttons.forEach(function (b, i) { b.setAttribute("aria-pressed", i === chosen[side]); }); }
    mark();
    return row;
  }
  split.appendChild(right); split.appendChild(left); split.appendChild(line);
  box.insertBefore(picker(0, "left"), strip); box.insertBefore(picker(1, "right"), strip);
  box.insertBefore(split, strip);
  strip.style.display = "none";
  draw();
}

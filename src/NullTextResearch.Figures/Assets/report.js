(function () {
  // A click, Enter or Space shows a picture that was reduced to the page at its own size, and fits one that the page cannot hold; another one undoes that.
  function toggle(image) {
    var box = image.closest(".nt-image").classList, holds = image.offsetWidth <= image.parentNode.clientWidth;
    var full = box.contains("nt-fit") || (!box.contains("nt-full") && holds && image.offsetWidth < image.naturalWidth);
    box.toggle("nt-full", full);
    box.toggle("nt-fit", !full);
  }
  document.querySelectorAll(".nt-image img").forEach(function (image) {
    image.title = "Click to switch between full size and fitted";
    image.addEventListener("click", function () { toggle(image); });
    image.addEventListener("keydown", function (event) {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); toggle(image); }
    });
  });
  // A click on a column's heading sorts by it, another one turns the order round. Cells without a value come last.
  document.querySelectorAll(".nt-sortable").forEach(function (table) {
    var body = table.tBodies[0], heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var button = document.createElement("button"), isNumber = head.classList.contains("nt-number");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", function () {
        var sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        heads.forEach(function (other) { other.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        function value(row) {
          var text = row.cells[column].textContent.trim();
          return isNumber ? parseFloat(text) : text;
        }
        Array.from(body.rows).sort(function (a, b) {
          var x = value(a), y = value(b), noX = x === "" || x !== x, noY = y === "" || y !== y;
          if (noX || noY) { return noX - noY; }
          return sign * (isNumber ? x - y : x.localeCompare(y));
        }).forEach(function (row) { body.append(row); });
      });
    });
  });
  var links = {};
  document.querySelectorAll(".nt-nav a").forEach(function (link) { links[link.getAttribute("href").slice(1)] = link; });
  if (!window.IntersectionObserver) { return; }
  var watcher = new IntersectionObserver(function (entries) {
    entries.forEach(function (entry) {
      if (!entry.isIntersecting || !links[entry.target.id]) { return; }
      for (var id in links) { links[id].classList.remove("nt-here"); }
      links[entry.target.id].classList.add("nt-here");
    });
  }, { rootMargin: "-20% 0px -75% 0px" });
  document.querySelectorAll(".nt-section").forEach(function (section) { watcher.observe(section); });
})();

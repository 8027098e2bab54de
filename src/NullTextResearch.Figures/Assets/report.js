(function () {
  // A click, Enter or Space shows a picture at its own size, another one fits it again.
  function toggle(image) { image.closest(".nt-image").classList.toggle("nt-full"); }
  document.querySelectorAll(".nt-image img").forEach(function (image) {
    image.title = "Click to switch between fitted and full size";
    image.addEventListener("click", function () { toggle(image); });
    image.addEventListener("keydown", function (event) {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); toggle(image); }
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

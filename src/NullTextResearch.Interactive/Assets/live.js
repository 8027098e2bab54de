function (box) {
  // Without this script the picture at the start stands here, and what was computed in a table beneath; with it sliders choose,
  // and ask the kernel for what is not there yet. Without a kernel that answers they go over what is there.
  var say = JSON.parse(box.getAttribute("data-say")), axes = say.axes, at = axes.map(function (axis) { return axis.start; });
  var frames = {}, channel = null, busy = false, moved = 0;
  var table = box.querySelector(".nt-strip"), row = document.createElement("div"), line = document.createElement("div"), charts = document.createElement("div");
  row.className = charts.className = "nt-row"; line.className = "nt-note"; charts.style.alignItems = "flex-start"; line.setAttribute("aria-live", "polite");
  var shown = null;
  Array.prototype.slice.call(table.querySelectorAll("td")).forEach(function (cell) {
    var whole = document.createElement("figure"), picture = cell.querySelector("img").cloneNode(), name = document.createElement("figcaption");
    picture.removeAttribute("height"); picture.width = cell.getAttribute("data-large"); name.textContent = cell.getAttribute("data-name");
    whole.appendChild(picture); whole.appendChild(name); row.appendChild(whole);
    if (cell.hasAttribute("data-live-picture")) { shown = { picture: picture, name: name }; picture.className = "nt-shown"; }
  });
  table.style.display = "none";
  box.insertBefore(row, table);

  // What the kernel has put beside: it comes again when it is renewed, so it is looked for anew.
  function store() {
    document.querySelectorAll('[data-nt-frames="' + say.id + '"]').forEach(function (old) {
      old.style.display = "none";
      old.querySelectorAll("td").forEach(function (cell) {
        var place = cell.getAttribute("data-at");
        if (!frames[place]) { frames[place] = { picture: cell.querySelector("img").src, measures: JSON.parse(cell.getAttribute("data-measures")) }; }
      });
    });
  }

  function label(place) { return place.split(",").map(function (i, k) { return axes[k].name + " " + axes[k].labels[+i]; }).join(", "); }

  function draw(place) {
    var frame = frames[place];
    shown.picture.src = frame.picture; shown.picture.style.opacity = "";
    shown.picture.alt = shown.name.textContent = label(place);
    charts.textContent = "";
    frame.measures.forEach(function (measure) { charts.appendChild(chart(measure, place)); });
  }

  // A measure over the slider that was moved last, at the positions of the others.
  function chart(measure, place) {
    var here = place.split(","), width = 180, height = 56, points = [];
    axes[moved].labels.forEach(function (_, i) {
      var there = here.slice(); there[moved] = String(i);
      var frame = frames[there.join(",")], found = frame && frame.measures.filter(function (m) { return m.name === measure.name; })[0];
      if (found && found.value !== null) { points.push([i, found.value]); }
    });
    var figure = document.createElement("figure"), text = document.createElement("figcaption"), ns = "http://www.w3.org/2000/svg";
    text.textContent = measure.text; text.className = "nt-measure"; figure.appendChild(text);
    if (points.length > 1) {
      var values = points.map(function (p) { return p[1]; }), low = Math.min.apply(null, values), high = Math.max.apply(null, values);
      var xs = function (i) { return 6 + (width - 12) * i / Math.max(1, axes[moved].labels.length - 1); };
      var ys = function (v) { return high > low ? height - 6 - (height - 12) * (v - low) / (high - low) : height / 2; };
      var svg = document.createElementNS(ns, "svg"), path = document.createElementNS(ns, "polyline");
      svg.setAttribute("width", width); svg.setAttribute("height", height); svg.setAttribute("role", "img"); svg.setAttribute("aria-label", measure.name);
      path.setAttribute("points", points.map(function (p) { return xs(p[0]) + "," + ys(p[1]); }).join(" "));
      path.setAttribute("fill", "none"); path.setAttribute("stroke", "#0072b2"); path.setAttribute("stroke-width", "1.5");
      svg.appendChild(path);
      points.forEach(function (p) {
        var dot = document.createElementNS(ns, "circle"), current = String(p[0]) === here[moved];
        dot.setAttribute("cx", xs(p[0])); dot.setAttribute("cy", ys(p[1])); dot.setAttribute("r", current ? 4 : 2); dot.setAttribute("fill", current ? "#d55e00" : "#0072b2");
        svg.appendChild(dot);
      });
      figure.insertBefore(svg, text);
    }
    return figure;
  }

  // The nearest that was computed, where nobody can compute more.
  function nearest(place) {
    var here = place.split(",").map(Number), best = null, least = Infinity;
    Object.keys(frames).forEach(function (other) {
      var away = 0; other.split(",").forEach(function (i, k) { away += Math.abs(+i - here[k]) / axes[k].labels.length; });
      if (away < least) { least = away; best = other; }
    });
    return best;
  }

  function show() {
    store();
    var place = at.join(",");
    if (frames[place]) {
      draw(place); line.textContent = busy ? line.textContent : "";
      // What is being computed for an older position is not wanted any more.
      if (channel && busy) { channel({ at: at }); }
    } else if (channel) {
      busy = true; line.textContent = "asked for " + label(place); shown.picture.style.opacity = "0.6";
      shown.name.textContent = label(place); channel({ at: at });
    } else {
      var other = nearest(place);
      if (other) { draw(other); line.textContent = other === place ? "" : "not computed; the nearest is " + label(other) + (say.live ? ". Run the cell to compute." : ""); }
    }
  }

  function take(data) {
    if (data.note) { line.textContent = data.note; return; }
    var place = at.join(",");
    if (data.picture) {
      frames[data.at] = { picture: data.picture, measures: data.measures };
      if (data.at === place) { busy = false; line.textContent = data.seconds ? "computed in " + data.seconds + " s" : ""; draw(place); }
      return;
    }
    if (frames[place]) { return; }
    if (data.busy) { line.textContent = data.busy; if (data.preview) { shown.picture.src = data.preview; shown.picture.style.opacity = "0.8"; } }
    if (data.ended) { busy = false; line.textContent = data.ended; shown.picture.style.opacity = ""; }
  }

  // A channel to the kernel: classic Notebook has one for every page, JupyterLab where it is started with its application exposed. Elsewhere
  // the kernel's own socket, which a browser on its machine reaches.
  function connect() {
    var kernel = window.Jupyter && window.Jupyter.notebook && window.Jupyter.notebook.kernel, app = window.jupyterapp || window.jupyterlab, comm;
    function end() { channel = null; busy = false; show(); }
    if (kernel && kernel.comm_manager) {
      comm = kernel.comm_manager.new_comm("nulltext.live", { id: say.id });
      comm.on_msg(function (message) { take(message.content.data); });
      comm.on_close(end);
      channel = function (data) { comm.send(data); };
    } else if (app && app.shell) {
      var widgets = app.shell.widgets("main"), next = widgets.next();
      while (!next.done && !(next.value.node && next.value.node.contains(box))) { next = widgets.next(); }
      var session = !next.done && next.value.sessionContext && next.value.sessionContext.session;
      if (session && session.kernel) {
        comm = session.kernel.createComm("nulltext.live");
        comm.onMsg = function (message) { take(message.content.data); };
        comm.onClose = end;
        comm.open({ id: say.id });
        channel = function (data) { comm.send(data); };
      }
    }
    if (!channel && say.address) { connectTo(say.address); }
  }

  function connectTo(address) {
    var socket;
    // A page may forbid it; the frames are there.
    try { socket = new WebSocket(address); } catch (refused) { return; }
    socket.onopen = function () { channel = function (data) { socket.send(JSON.stringify(data)); }; show(); };
    socket.onmessage = function (event) { take(JSON.parse(event.data)); };
    socket.onclose = function () { if (channel) { channel = null; busy = false; show(); } };
  }

  axes.forEach(function (axis, i) {
    var bar = document.createElement("label"), name = document.createElement("span");
    var range = document.createElement("input"), value = document.createElement("output");
    bar.className = "nt-bar"; name.textContent = axis.name;
    range.type = "range"; range.min = 0; range.max = axis.labels.length - 1; range.step = 1; range.value = axis.start;
    range.setAttribute("aria-label", axis.name);
    function set() { value.textContent = axis.labels[at[i]]; range.setAttribute("aria-valuetext", axis.labels[at[i]]); }
    range.addEventListener("input", function () { at[i] = +range.value; moved = i; set(); show(); });
    // Keys belong to the slider, not to the notebook's shortcuts.
    range.addEventListener("keydown", function (event) { event.stopPropagation(); });
    bar.appendChild(name); bar.appendChild(range); bar.appendChild(value);
    box.insertBefore(bar, table);
    set();
  });
  box.insertBefore(line, table);
  box.insertBefore(charts, table);
  if (say.live) { connect(); }
  show();
  // What stands beneath may come after this script.
  setTimeout(function () { store(); show(); }, 300);
}

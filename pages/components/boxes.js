// Boxes on a picture: picked, moved, resized, drawn and deleted with a mouse, a finger or the keyboard.
//
// The page says what there is (`data`), this says what a person did (`news`: all boxes and the picked one, or that the
// page shall undo or redo, and a number that the page sends back). Everything is in pixels of the picture; `unit` is one
// pixel of the screen in these.

const SVG = "http://www.w3.org/2000/svg";
const CLICK = 4; // pixels of the screen; a shorter way is no drag
const SMALLEST = 2; // pixels of the picture
const PATIENCE = 300; // milliseconds after the last arrow key
const LEAST = 48; // pixels of the screen; no side of a picture is shorter, however long the other one gets
const MOST_HIGH = "max(75vh, 24rem)";
const TAGS = [12, 9]; // pixels of the screen; the sizes of their letters

const views = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  if (!views.has(parentElement)) views.set(parentElement, new View(parentElement));
  const view = views.get(parentElement);
  view.tell = (news) => setTriggerValue("news", news);
  view.show(data);
}

class View {
  constructor(parent) {
    this.scroller = parent.querySelector(".scroller");
    this.frame = parent.querySelector(".frame");
    this.image = parent.querySelector("img");
    this.svg = parent.querySelector("svg");
    this.boxes = [];
    this.picked = null;
    this.stop = 0; // the box that Tab goes to
    this.number = 0;
    this.nudged = null; // the boxes before arrow keys changed one, until the page is told
    const watch = new ResizeObserver(() => this.draw());
    watch.observe(this.frame);
    watch.observe(this.scroller);
    this.svg.addEventListener("pointerdown", (event) => this.down(event));
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    this.svg.addEventListener("pointerup", () => this.up());
    this.svg.addEventListener("pointercancel", () => this.cancel());
    // A finger on a picked box drags it; elsewhere it scrolls the page.
    this.svg.addEventListener("touchstart", (event) => this.grips && event.preventDefault(), { passive: false });
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.svg.addEventListener("focusin", (event) => this.stopAt(event.target.dataset.box));
    parent.addEventListener("keyup", () => this.svg.classList.add("keys"));
  }

  show(data) {
    // What the page answers to is older than what a person has done since.
    if (data.number < this.number || this.drag || this.nudged) return;
    this.number = data.number;
    const chosen = data.picked !== null && data.picked !== this.picked;
    this.boxes = data.boxes.map((box) => ({ ...box }));
    this.picked = data.picked;
    if (chosen) this.stop = data.picked;
    this.adding = data.adding;
    [this.width, this.height] = data.size;
    if (this.image.src !== data.image) this.image.src = data.image;
    this.image.alt = data.alt;
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    this.svg.classList.toggle("fixed", data.fixed);
    this.frame.style.aspectRatio = `${this.width} / ${this.height}`;
    this.frame.style.maxWidth = `calc(${MOST_HIGH} * ${this.width / this.height})`;
    this.frame.style.minWidth = `${LEAST * Math.max(1, this.width / this.height)}px`;
    this.scroller.style.maxHeight = `calc(${MOST_HIGH} + 2.5rem)`;
    this.frame.dataset.number = data.number;
    this.draw();
    if (chosen) this.reveal(data.picked);
  }

  send() {
    clearTimeout(this.later);
    this.nudged = null;
    this.number += 1;
    const boxes = this.boxes.map(({ x, y, width, height }) => [x, y, width, height]);
    this.tell({ number: this.number, boxes, picked: this.picked });
  }

  // Let the page undo or redo; what it has not heard of is undone here.
  ask(step) {
    if (this.nudged) return step === "undo" ? this.unnudge() : this.send();
    this.number += 1;
    this.tell({ number: this.number, step });
  }

  // --- what is seen

  get unit() {
    return this.width / Math.max(1, this.svg.clientWidth);
  }

  draw() {
    if (!this.width) return;
    const focused = this.svg.getRootNode().activeElement?.dataset?.box;
    this.svg.classList.toggle("adding", Boolean(this.adding));
    // What fits has nothing cut off round it: the corners to drag lie a little outside of the picture.
    const high = LEAST / Math.min(1, this.width / this.height);
    const wide = LEAST * Math.max(1, this.width / this.height);
    const room = Math.max(0.75 * window.innerHeight, 24 * parseFloat(getComputedStyle(document.documentElement).fontSize));
    this.scroller.classList.toggle("long", wide > this.scroller.clientWidth || high > room);
    // Without a box the keyboard still gets here, to undo.
    this.svg.setAttribute("tabindex", this.boxes.length ? -1 : 0);
    this.stop = Math.max(0, Math.min(this.stop, this.boxes.length - 1));
    const tags = this.tags();
    // Read aloud in reading order, also where a box has to be drawn later because it lies on another one.
    this.svg.setAttribute("aria-owns", this.boxes.map((_, n) => `box-${n}`).join(" "));
    this.svg.replaceChildren(...this.order(tags).map((n) => this.group(n, tags[n])), ...this.handles());
    if (focused !== undefined) this.focus(Number(focused));
  }

  // The boxes in reading order, but small ones over the large ones that they overlap, and the picked one over all.
  order(tags) {
    const sizes = this.boxes.map(({ width, height }, n) => (n === this.picked ? 0 : width * height));
    const above = (n, m) => sizes[n] < sizes[m] || (sizes[n] === sizes[m] && n > m);
    const overlap = (n, m) =>
      overlaps(this.boxes[n], this.boxes[m]) || (n === this.picked && overlaps(tags[n], this.boxes[m]));
    const drawn = new Set();
    const add = (n) => {
      if (drawn.has(n)) return;
      this.boxes.forEach((_, m) => m !== n && above(n, m) && overlap(n, m) && add(m));
      drawn.add(n);
    };
    this.boxes.forEach((_, n) => add(n));
    return [...drawn];
  }

  // Where each box's tag stands: where it covers no digit. In a crowd they are smaller, and if there is no room for
  // most of them even so, only the box under the mouse, the focused and the picked one show theirs.
  tags() {
    for (const size of TAGS) {
      const tags = this.place(size * this.unit);
      if (2 * tags.filter((tag) => !tag.quiet).length >= tags.length) return tags;
    }
    return this.place(TAGS[0] * this.unit).map((tag) => ({ ...tag, quiet: true }));
  }

  place(size) {
    const placed = [];
    // A line's breadth of another box may be covered.
    const free = (tag) =>
      ![...this.boxes, ...placed].some((other) => overlaps(tag, other, 1.5 * this.unit));
    return this.boxes.map((box) => {
      const width = size * (0.5 + 0.6 * box.tag.length);
      const height = 1.25 * size;
      const x = Math.min(Math.max(0, box.x - this.unit), Math.max(0, this.width - width));
      const spots = [box.y - height, box.y + box.height].map((y) => ({ x, y, width, height, size }));
      const found = spots.find(free);
      if (found) placed.push(found);
      return found ?? { ...spots[0], quiet: true };
    });
  }

  group(n, tag) {
    const box = this.boxes[n];
    const { unit } = this;
    const group = element("g", {
      id: `box-${n}`,
      class: `box ${box.kind}${n === this.picked ? " picked" : ""}${tag.quiet ? " quiet" : ""}`,
      "data-box": n,
      role: "button",
      tabindex: n === this.stop ? 0 : -1,
      "aria-label": box.name,
      "aria-pressed": n === this.picked,
    });
    const at = { x: box.x, y: box.y, width: box.width, height: box.height, rx: 2 * unit };
    group.append(element("rect", { ...at, class: "halo" }), element("rect", { ...at, class: "line" }));
    const { x, y, width, height, size } = tag;
    const text = element("text", { x: x + width / 2, y: y + 0.98 * size, "font-size": size });
    text.textContent = box.tag;
    group.append(element("rect", { class: "tag", x, y, width, height, rx: 2 * unit }), text);
    return group;
  }

  handles() {
    const box = this.boxes[this.picked];
    if (!box || this.adding) return [];
    const away = 5 * this.unit;
    return ["nw", "ne", "sw", "se"].flatMap((corner) => {
      const cx = corner.includes("w") ? box.x - away : box.x + box.width + away;
      const cy = corner.includes("n") ? box.y - away : box.y + box.height + away;
      const grip = element("circle", { class: `grip ${corner}`, "data-corner": corner, cx, cy, r: 13 * this.unit });
      return [grip, element("circle", { class: "handle", cx, cy, r: 5.5 * this.unit })];
    });
  }

  focus(n) {
    const box = this.svg.querySelector(`[data-box="${Math.min(n, this.boxes.length - 1)}"]`);
    (box ?? this.svg).focus({ preventScroll: true });
  }

  // Tab comes back to the box that it left.
  stopAt(n) {
    if (n === undefined) return;
    this.stop = Number(n);
    for (const box of this.svg.querySelectorAll("[data-box]")) box.setAttribute("tabindex", box.dataset.box === n ? 0 : -1);
  }

  // Scroll a long picture, and never the page, so that a box is in sight.
  reveal(n) {
    const box = this.svg.querySelector(`[data-box="${n}"] .line`)?.getBoundingClientRect();
    if (!box) return;
    const seen = this.scroller.getBoundingClientRect();
    const away = 24;
    const by = (from, to, first, last) => Math.min(0, from - away - first) || Math.max(0, to + away - last);
    this.scroller.scrollBy(by(box.left, box.right, seen.left, seen.right), by(box.top, box.bottom, seen.top, seen.bottom));
  }

  // --- mouse and finger

  get grips() {
    return Boolean(this.drag) && this.drag.kind !== "tap";
  }

  point(event) {
    const frame = this.svg.getBoundingClientRect();
    return [
      ((event.clientX - frame.left) * this.width) / frame.width,
      ((event.clientY - frame.top) * this.height) / frame.height,
    ];
  }

  down(event) {
    if (event.button || this.drag || this.svg.classList.contains("fixed")) return;
    this.svg.classList.remove("keys");
    const target = event.target;
    const corner = target.dataset.corner;
    const over = target.closest("[data-box]");
    const n = over ? Number(over.dataset.box) : null;
    const start = this.point(event);
    const drag = { start, moved: false, before: this.boxes.map((box) => ({ ...box })), picked: this.picked };
    if (this.adding) Object.assign(drag, { kind: "add" });
    else if (corner) Object.assign(drag, { kind: "resize", corner });
    // A finger that lands on a box that is not picked may be about to scroll.
    else if (n !== null && (n === this.picked || event.pointerType === "mouse")) Object.assign(drag, { kind: "move", n });
    else Object.assign(drag, { kind: "tap", n });
    this.drag = drag;
    if (drag.kind !== "tap") {
      event.preventDefault();
      this.svg.setPointerCapture(event.pointerId);
    }
  }

  move(event) {
    const { drag } = this;
    if (!drag) return;
    const [x, y] = this.point(event);
    const [dx, dy] = [x - drag.start[0], y - drag.start[1]];
    if (!drag.moved && Math.hypot(dx, dy) < CLICK * this.unit) return;
    if (drag.kind === "tap") return;
    if (!drag.moved && drag.kind === "move") this.picked = drag.n;
    if (!drag.moved && drag.kind === "add") this.put(this.between(drag.start, drag.start));
    drag.moved = true;
    if (drag.kind === "add") Object.assign(this.boxes[this.picked], this.between(drag.start, [x, y]));
    if (drag.kind === "move") this.shift(drag.before[drag.n], dx, dy);
    if (drag.kind === "resize") this.resize(drag.before[this.picked], drag.corner, x, y);
    this.draw();
  }

  up() {
    const { drag } = this;
    if (!drag) return;
    this.drag = null;
    if (drag.kind === "add") {
      if (!drag.moved) this.put(this.usual(drag.start));
      this.adding = false;
    } else if (!drag.moved && drag.kind !== "resize") {
      if (this.picked === null && drag.n === null) return;
      this.picked = drag.n === this.picked ? null : drag.n;
    } else if (!drag.moved) return;
    this.draw();
    if (this.picked !== null) this.focus(this.picked);
    this.send();
  }

  cancel() {
    if (!this.drag) return;
    this.boxes = this.drag.before;
    this.picked = this.drag.picked;
    this.drag = null;
    this.draw();
  }

  // --- changes

  shift(from, dx, dy) {
    const box = this.boxes[this.picked];
    box.x = within(Math.round(from.x + dx), 0, this.width - from.width);
    box.y = within(Math.round(from.y + dy), 0, this.height - from.height);
    this.unread(box);
  }

  resize(from, corner, x, y) {
    const opposite = [
      corner.includes("w") ? from.x + from.width : from.x,
      corner.includes("n") ? from.y + from.height : from.y,
    ];
    Object.assign(this.boxes[this.picked], this.between(opposite, [x, y]));
    this.unread(this.boxes[this.picked]);
  }

  between([x0, y0], [x1, y1]) {
    const [left, right] = [x0, x1].sort((a, b) => a - b).map((x) => within(Math.round(x), 0, this.width));
    const [top, bottom] = [y0, y1].sort((a, b) => a - b).map((y) => within(Math.round(y), 0, this.height));
    const width = Math.max(SMALLEST, right - left);
    const height = Math.max(SMALLEST, bottom - top);
    return { x: Math.max(0, Math.min(left, this.width - width)), y: Math.max(0, Math.min(top, this.height - height)), width, height };
  }

  // A box of the usual size round a point, for those who only click.
  usual([x, y]) {
    const middle = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
    const high = middle(this.boxes.map((box) => box.height)) ?? this.height / 5;
    const wide = Math.max(0.6 * high, middle(this.boxes.map((box) => box.width)) ?? 0);
    return this.between([x - wide / 2, y - high / 2], [x + wide / 2, y + high / 2]);
  }

  put(place) {
    this.boxes.push({ ...place });
    this.picked = this.boxes.length - 1;
    this.unread(this.boxes[this.picked]);
  }

  unread(box) {
    Object.assign(box, { kind: "unread", tag: "…", name: "A box that is being read" });
  }

  // --- keyboard

  key(event) {
    if (this.drag || this.svg.classList.contains("fixed")) return;
    const letter = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && (letter === "z" || letter === "y")) {
      event.preventDefault();
      event.stopPropagation();
      return this.ask(letter === "y" || event.shiftKey ? "redo" : "undo");
    }
    const n = Number(event.target.dataset?.box);
    if (!this.boxes[n]) return;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key === "Enter" || event.key === " ") this.picked = n === this.picked ? null : n;
    else if (event.key === "Escape" && this.picked !== null) this.picked = null;
    else if (event.key === "Delete" || event.key === "Backspace") this.remove(n);
    else if (event.key in arrows && n === this.picked) return this.nudge(event, ...arrows[event.key]);
    else if (event.key in arrows) return this.step(event, n, arrows[event.key][0] + arrows[event.key][1]);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.draw();
    this.focus(n);
    this.send();
  }

  remove(n) {
    this.boxes.splice(n, 1);
    this.picked = null;
  }

  step(event, n, by) {
    event.preventDefault();
    const next = (n + by + this.boxes.length) % this.boxes.length;
    this.focus(next);
    this.reveal(next);
  }

  nudge(event, dx, dy) {
    event.preventDefault();
    this.nudged ??= this.boxes.map((box) => ({ ...box }));
    const box = this.boxes[this.picked];
    const way = Math.max(1, Math.round(2 * this.unit));
    if (event.shiftKey) {
      Object.assign(box, this.between([box.x, box.y], [box.x + box.width + dx * way, box.y + box.height + dy * way]));
      this.unread(box);
    } else this.shift(box, dx * way, dy * way);
    this.draw();
    this.reveal(this.picked);
    clearTimeout(this.later);
    this.later = setTimeout(() => this.send(), PATIENCE);
  }

  unnudge() {
    clearTimeout(this.later);
    this.boxes = this.nudged;
    this.nudged = null;
    this.draw();
  }
}

function element(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// Whether two boxes lie on each other by more than `slack`.
function overlaps(one, other, slack = 0) {
  return (
    Math.min(one.x + one.width, other.x + other.width) - Math.max(one.x, other.x) > slack &&
    Math.min(one.y + one.height, other.y + other.height) - Math.max(one.y, other.y) > slack
  );
}

function within(value, low, high) {
  return Math.min(Math.max(value, low), Math.max(low, high));
}

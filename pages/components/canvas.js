// What the canvas's library leaves to be desired. It lives in a shadow root, where no style sheet of the page reaches.
//
// Its toolbar lies over the canvas's upper edge, invisible until a mouse is there, and takes the strokes that begin on
// it: one of its buttons wipes the drawing. All of it stands below the canvas, so it goes.
// And a mouse that leaves the canvas and is let go there ends no stroke, unless the canvas captures it.

const quiet = new CSSStyleSheet();
quiet.replaceSync(".dc-toolbar { display: none !important; }");
const capturing = new WeakSet();

export default function ({ parentElement }) {
  const frame = parentElement.closest(".st-key-canvas-frame");

  function amend() {
    if (!frame.isConnected) return;
    const roots = [...frame.querySelectorAll("*")].map((element) => element.shadowRoot).filter(Boolean);
    const root = roots.find((one) => one.querySelector(".upper-canvas"));
    if (!root) {
      requestAnimationFrame(amend); // the canvas is still coming up
      return;
    }
    if (!root.adoptedStyleSheets.includes(quiet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, quiet];
    const canvas = root.querySelector(".upper-canvas");
    if (capturing.has(canvas)) return;
    capturing.add(canvas);
    canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  }

  amend();
}

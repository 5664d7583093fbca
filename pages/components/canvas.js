// What the canvas's library leaves to be desired. It lives in a shadow root, where no style sheet of the page reaches.
//
// Its toolbar lies over the canvas's upper edge, invisible until a mouse is there, and takes the strokes that begin on
// it: one of its buttons wipes the drawing. All of it stands below the canvas, so it goes.
// And a mouse that leaves the canvas and is let go there ends no stroke, unless the canvas captures it.
//
// When the page is loaded again the server knows nothing of the drawing any more, so the browser keeps it, for as long
// as its tab is open, and hands it back to a canvas on which nothing ever was.

const KEPT = "digit-lab-drawing";

const quiet = new CSSStyleSheet();
quiet.replaceSync(".dc-toolbar { display: none !important; }");
const capturing = new WeakSet();

function keep({ strokes, fresh }, giveBack) {
  try {
    if (!fresh) sessionStorage.setItem(KEPT, JSON.stringify(strokes));
    else if (sessionStorage.getItem(KEPT)) giveBack(JSON.parse(sessionStorage.getItem(KEPT)));
  } catch {
    // Where a browser keeps nothing, or no more, the drawing ends with the page.
  }
}

export default function ({ parentElement, data, setTriggerValue }) {
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
  keep(data, (strokes) => strokes.length && setTriggerValue("kept", strokes));
}

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

// Before its ground is there a canvas takes what it is told to show for what it begins with, and sends nothing.
function isUp(root) {
  const ground = root.querySelector(".dc-canvas.lower-canvas");
  return Boolean(ground?.width) && ground.getContext("2d").getImageData(0, 0, 1, 1).data[3] === 255;
}

function keep(strokes) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(strokes));
  } catch {
    // Where a browser keeps nothing, or no more, the drawing ends with the page.
  }
}

function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT)) ?? [];
  } catch {
    return [];
  }
}

export default function ({ parentElement, data, setTriggerValue }) {
  const frame = parentElement.closest(".st-key-canvas-frame");
  const before = data.fresh ? kept() : [];
  if (!data.fresh) keep(data.strokes);

  function amend() {
    if (!frame.isConnected) return;
    const roots = [...frame.querySelectorAll("*")].map((element) => element.shadowRoot).filter(Boolean);
    const root = roots.find((one) => one.querySelector(".upper-canvas"));
    if (root) improve(root);
    if (!root || (before.length && !isUp(root))) {
      requestAnimationFrame(amend); // the canvas is still coming up
    } else if (before.length) {
      setTriggerValue("kept", before);
    }
  }

  amend();
}

function improve(root) {
  if (!root.adoptedStyleSheets.includes(quiet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, quiet];
  const canvas = root.querySelector(".upper-canvas");
  if (capturing.has(canvas)) return;
  capturing.add(canvas);
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
}

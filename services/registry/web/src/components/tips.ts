/**
 * What a button without words does, beside it while the pointer or the keyboard's focus is on it: `data-tip` says it.
 *
 * One element for the whole app, in the browser's top layer, so that no list or dialog cuts it off. It repeats a name
 * that the button has anyway, so it is hidden from who hears the page.
 */
import "./tips.css";

const PATIENCE_MS = 300;
const APART = 6; // pixels

let tip: HTMLElement | null = null;
let heard: HTMLElement | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Begins to show them. */
export function showTips(): void {
  document.addEventListener("pointerover", ({ target }) => soon(target as Element));
  document.addEventListener("focusin", ({ target }) => {
    if ((target as Element).matches(":focus-visible")) soon(target as Element);
  });
  for (const over of ["pointerdown", "focusout", "scroll", "keydown"]) {
    document.addEventListener(over, hide, { capture: true, passive: true });
  }
}

/** Shows a word beside a button at once, and says it to who hears the page. */
export function tell(button: HTMLElement, word: string): void {
  show(button, word);
  heard ??= made({ className: "heard" });
  heard.role = "status";
  heard.textContent = word;
}

function soon(target: Element): void {
  const button = target.closest<HTMLElement>("[data-tip]");
  hide();
  if (button) timer = setTimeout(() => show(button, button.dataset.tip ?? ""), PATIENCE_MS);
}

function show(button: HTMLElement, word: string): void {
  hide();
  if (!button.isConnected) return;
  tip ??= made({ className: "tip", popover: "manual", ariaHidden: "true" });
  tip.textContent = word;
  tip.showPopover();
  const at = button.getBoundingClientRect();
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.min(Math.max(at.left + at.width / 2 - width / 2, APART), window.innerWidth - width - APART);
  const above = at.top - height - APART;
  tip.style.left = `${left}px`;
  tip.style.top = `${above > 0 ? above : at.bottom + APART}px`;
}

function hide(): void {
  clearTimeout(timer);
  if (tip?.matches(":popover-open")) tip.hidePopover();
}

function made(properties: Partial<HTMLElement>): HTMLElement {
  const element = Object.assign(document.createElement("div"), properties);
  document.body.append(element);
  return element;
}

/** A button that copies a text; also where the browser has no clipboard for pages without TLS. */
import "./Copy.css";
import { toldProblem } from "./notices";
import { tell } from "./tips";

const SAID_MS = 1500;

interface Props {
  value: string;
  label?: string;
  size?: "xs" | "sm" | "md";
}

/** Without state, and with one handler for all: there is one in each row of long lists. */
export function Copy({ value, label = "Copy", size = "sm" }: Props) {
  return (
    <button
      type="button"
      className="copy"
      data-size={size}
      data-tip={label}
      aria-label={label}
      value={value}
      onClick={copied}
    />
  );
}

async function copied({ currentTarget: button }: React.MouseEvent<HTMLButtonElement>) {
  try {
    await toClipboard(button.value);
  } catch {
    toldProblem(new Error("The browser does not let this page copy: select the text and copy it."), "Not copied");
    return;
  }
  button.dataset.copied = "";
  tell(button, "Copied");
  setTimeout(() => delete button.dataset.copied, SAID_MS);
}

async function toClipboard(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy"); // deprecated, and the only way without TLS
  field.remove();
  if (!done) throw new Error("refused");
}

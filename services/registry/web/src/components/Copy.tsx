/** A button that copies a text; also where the browser has no clipboard for pages without TLS. */
import { ActionIcon, type ActionIconProps, Tooltip } from "@mantine/core";
import { useTimeout } from "@mantine/hooks";
import { Check, Copy as CopyIcon } from "lucide-react";
import { useState } from "react";
import { toldProblem } from "./notices";

const SAID_MS = 1500;

export function Copy({
  value,
  label = "Copy",
  size = "sm",
}: {
  value: string;
  label?: string;
  size?: ActionIconProps["size"];
}) {
  const [copied, setCopied] = useState(false);
  const { start } = useTimeout(() => setCopied(false), SAID_MS);
  const copy = async () => {
    try {
      await toClipboard(value);
      setCopied(true);
      start();
    } catch {
      toldProblem(new Error("The browser does not let this page copy: select the text and copy it."), "Not copied");
    }
  };
  return (
    <Tooltip label={copied ? "Copied" : label}>
      <ActionIcon variant="subtle" color={copied ? "green" : "gray"} size={size} onClick={copy} aria-label={label}>
        {copied ? <Check size="70%" /> : <CopyIcon size="70%" />}
      </ActionIcon>
    </Tooltip>
  );
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

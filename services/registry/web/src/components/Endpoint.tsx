/** The address of a service, with a button that copies it. */
import { Copy } from "./Copy";
import "./Endpoint.css";
import { NOTHING } from "./format";

interface Props {
  url: string | null | undefined;
  label?: string;
}

export function Endpoint({ url, label = "Copy the address" }: Props) {
  if (!url) return NOTHING;
  return (
    <span className="endpoint">
      <a href={url} target="_blank" rel="noreferrer">
        {url.replace(/^https:\/\//, "").replace(/\/$/, "")}
      </a>
      <Copy value={url} label={label} />
    </span>
  );
}
